using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

/// <summary>The template of a request, from its body or from S3, parsed once per text.</summary>
internal static class TemplateReader
{
    private const int CacheCapacity = 256;
    private static readonly ConcurrentDictionary<string, Template> Cache = new(StringComparer.Ordinal);

    /// <summary>The template a request brings; null when it brings none.</summary>
    public static Template? Read(SandboxRuntime runtime, RequestContext context, JsonObject input)
    {
        var body = (string?)input["TemplateBody"];
        var url = (string?)input["TemplateURL"];
        if (body is not null && url is not null)
        {
            throw new ServiceFault("ValidationError", "Only one of TemplateBody or TemplateURL can be specified.");
        }
        if (body is not null)
        {
            return Encoding.UTF8.GetByteCount(body) <= Template.MaximumBodySize
                ? Parse(body)
                : throw new ServiceFault("ValidationError", $"1 validation error detected: Value '{body[..Math.Min(body.Length, 200)]}...' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to {Template.MaximumBodySize}");
        }
        return url is null ? null : Parse(new S3TemplateSource(runtime, context).ReadText(url));
    }

    public static Template Parse(string text)
    {
        if (Cache.TryGetValue(text, out var known))
        {
            return known;
        }
        Template template;
        try
        {
            template = Template.Parse(text);
        }
        catch (TemplateException e)
        {
            throw TemplateFaults.For(e);
        }
        if (template.Resources.Count == 0 && !template.Transforms.Any())
        {
            throw new ServiceFault("ValidationError", "Template format error: At least one Resources member must be defined.");
        }
        if (template.UsesAliases)
        {
            throw new ServiceFault("ValidationError", "Template error: YAML aliases are not allowed in CloudFormation templates");
        }
        var unknown = template.Resources.Values.Select(resource => resource.Type)
            .Where(type => type.StartsWith("AWS::", StringComparison.Ordinal) && ResourceSpecification.Default.Find(type) is null && type is not "AWS::CDK::Metadata" and not "AWS::CloudFormation::CustomResource")
            .Distinct(StringComparer.Ordinal).ToList();
        if (unknown.Count > 0)
        {
            throw new ServiceFault("ValidationError", $"Template format error: Unrecognized resource types: [{string.Join(", ", unknown)}]");
        }
        if (Cache.Count >= CacheCapacity)
        {
            Cache.Clear();
        }
        Cache[text] = template;
        return template;
    }

    /// <summary>The capabilities a template needs, with the reason.</summary>
    public static (IReadOnlyList<string> Capabilities, string? Reason) Required(Template template)
    {
        var identity = template.Resources.Values.Where(resource => NamedBy.ContainsKey(resource.Type)).ToList();
        var named = identity.Where(resource => NamedBy[resource.Type] is { } property && HasProperty(resource, property)).ToList();
        var required = new List<string>();
        if (named.Count > 0)
        {
            required.Add("CAPABILITY_NAMED_IAM");
        }
        else if (identity.Count > 0)
        {
            required.Add("CAPABILITY_IAM");
        }
        if (template.Transforms.Count > 0)
        {
            required.Add("CAPABILITY_AUTO_EXPAND");
        }
        return (required, identity.Count > 0 ? $"The following resource(s) require capabilities: [{string.Join(", ", identity.Select(resource => resource.Type).Distinct(StringComparer.Ordinal))}]" : null);
    }

    /// <summary>Refuses a request without the capabilities its template needs.</summary>
    public static void CheckCapabilities(Template template, IReadOnlyCollection<string> given)
    {
        var missing = Required(template).Capabilities
            .Where(capability => !given.Contains(capability) && !(capability == "CAPABILITY_IAM" && given.Contains("CAPABILITY_NAMED_IAM")))
            .ToList();
        if (missing.Count > 0)
        {
            throw new ServiceFault("InsufficientCapabilitiesException", $"Requires capabilities : [{string.Join(", ", missing)}]");
        }
    }

    /// <summary>Resource types that change access, and the property that gives them a name.</summary>
    private static readonly Dictionary<string, string?> NamedBy = new(StringComparer.Ordinal)
    {
        ["AWS::IAM::AccessKey"] = null,
        ["AWS::IAM::Group"] = "GroupName",
        ["AWS::IAM::GroupPolicy"] = null,
        ["AWS::IAM::InstanceProfile"] = "InstanceProfileName",
        ["AWS::IAM::ManagedPolicy"] = "ManagedPolicyName",
        ["AWS::IAM::Policy"] = null,
        ["AWS::IAM::Role"] = "RoleName",
        ["AWS::IAM::RolePolicy"] = null,
        ["AWS::IAM::User"] = "UserName",
        ["AWS::IAM::UserPolicy"] = null,
        ["AWS::IAM::UserToGroupAddition"] = null,
    };

    private static bool HasProperty(TemplateResource resource, string property) => resource.Properties?[property] is not null;
}

/// <summary>The parameter values of a stack.</summary>
internal static class ParameterSet
{
    /// <summary>The parameters of a request over those the stack has.</summary>
    public static Dictionary<string, string> FromRequest(Template template, JsonNode? list, IReadOnlyDictionary<string, string>? previous)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var item in (list as JsonArray ?? []).OfType<JsonObject>())
        {
            var key = (string?)item["ParameterKey"] ?? throw new ServiceFault("ValidationError", "ParameterKey must be specified");
            if (given.ContainsKey(key))
            {
                throw new ServiceFault("ValidationError", $"Duplicate parameter key: {key}");
            }
            var keep = Protocols.Scalars.TryBoolean(item["UsePreviousValue"], out var flag) && flag;
            var value = (string?)item["ParameterValue"];
            if (keep && value is not null)
            {
                throw new ServiceFault("ValidationError", $"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and non empty value for a parameter");
            }
            if (keep)
            {
                if (previous is null)
                {
                    throw new ServiceFault("ValidationError", $"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for a parameter key not in the previous template");
                }
                if (template.Parameters.ContainsKey(key))
                {
                    given[key] = previous.TryGetValue(key, out var kept)
                        ? kept
                        : throw new ServiceFault("ValidationError", $"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for a parameter key not in the previous template");
                }
                continue;
            }
            given[key] = value ?? throw new ServiceFault("ValidationError", $"Invalid input for parameter key {key}. Need to specify either usePreviousValue as true or a value for the parameter");
        }
        return Complete(template, given);
    }

    /// <summary>The values given with the defaults of the rest. What is missing or unknown is found by the evaluation.</summary>
    public static Dictionary<string, string> Complete(Template template, IReadOnlyDictionary<string, string> given)
    {
        var result = new Dictionary<string, string>(given, StringComparer.Ordinal);
        foreach (var parameter in template.Parameters.Values)
        {
            if (parameter.Default is { } fallback)
            {
                result.TryAdd(parameter.Name, fallback);
            }
        }
        return result;
    }
}
