using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ssm;

/// <summary>Systems Manager's parameter store, with AWS's public parameters for machine images and regions.</summary>
internal sealed partial class SsmService : SandboxService
{
    public SsmService(SandboxRuntime runtime)
        : base(runtime, "ssm")
    {
        On("PutParameter", PutParameter);
        On("GetParameter", (context, input) => new JsonObject { ["Parameter"] = Find(context, input.Required("Name"), input.Is("WithDecryption")) ?? throw NotFound(input.Required("Name")) });
        On("GetParameters", (context, input) =>
        {
            var found = input.Texts("Names").Select(name => (Name: name, Value: Find(context, name, input.Is("WithDecryption")))).ToList();
            return new JsonObject
            {
                ["Parameters"] = found.Select(pair => pair.Value).OfType<JsonObject>().ToJsonList(),
                ["InvalidParameters"] = found.Where(pair => pair.Value is null).Select(pair => pair.Name).ToTextList(),
            };
        });
        On("GetParametersByPath", GetParametersByPath);
        On("DescribeParameters", DescribeParameters);
        On("GetParameterHistory", (context, input) => Pages.Answer(input, (Parameters(context).Get(input.Required("Name")) ?? throw NotFound(input.Required("Name"))).Objects("_Versions")
            .Select(version => input.Is("WithDecryption") ? Opened(context, version.Copy()) : version.Copy()).ToList(), "Parameters", defaultSize: 50));
        On("DeleteParameter", (context, input) => Parameters(context).Remove(input.Required("Name")) ? [] : throw NotFound(input.Required("Name")));
        On("DeleteParameters", (context, input) =>
        {
            var deleted = input.Texts("Names").ToLookup(name => Parameters(context).Remove(name));
            return new JsonObject { ["DeletedParameters"] = deleted[true].ToTextList(), ["InvalidParameters"] = deleted[false].ToTextList() };
        });
        On("LabelParameterVersion", (context, input) =>
        {
            var parameter = Parameters(context).Get(input.Required("Name")) ?? throw NotFound(input.Required("Name"));
            var number = input.Long("ParameterVersion") ?? parameter.Long("Version");
            Parameters(context).Update(input.Required("Name"), document =>
            {
                foreach (var version in document.Objects("_Versions"))
                {
                    var labels = version.Texts("Labels").Except(input.Texts("Labels")).ToList();
                    version["Labels"] = (version.Long("Version") == number ? labels.Concat(input.Texts("Labels")) : labels).ToTextList();
                }
            });
            return new JsonObject { ["InvalidLabels"] = new JsonArray(), ["ParameterVersion"] = number };
        });
        On("AddTagsToResource", (context, input) => Retag(context, input, document => Tags.Put(document, "_Tags", input.Objects("Tags"))));
        On("RemoveTagsFromResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("TagKeys"))));
        On("ListTagsForResource", (context, input) => new JsonObject { ["TagList"] = (Parameters(context).Get(Resource(input)) ?? throw new ServiceFault("InvalidResourceId", "")).Objects("_Tags").Select(tag => tag.Copy()).ToJsonList() });
    }

    [GeneratedRegex(@"^/?[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*\z")]
    private static partial Regex NamePattern();

    private Collection Parameters(RequestContext context) => Collection(context, "parameters");

    private static ServiceFault NotFound(string name) => new("ParameterNotFound", $"Parameter {name} not found.");

    private static string Resource(JsonObject input) => input.Text("ResourceType") == "Parameter" ? input.Required("ResourceId")
        : throw new ServiceFault("InvalidResourceType", "The resource type is not valid. If you are attempting to tag an instance, the instance must be a registered, managed instance.");

    public bool Exists(RequestContext context, string name) => Find(context, name, false) is not null;

    /// <summary>A parameter's value for CloudFormation: dynamic references and parameters of type AWS::SSM::Parameter::Value. Null when there is none.</summary>
    public string? Value(RequestContext context, string name, bool secure = false) =>
        Find(context, name, secure) is { } parameter && (parameter.Text("Type") == "SecureString") == secure ? parameter.Text("Value") : null;

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change) =>
        Parameters(context).Update(Resource(input), change) is not null ? [] : throw new ServiceFault("InvalidResourceId", "The resource ID is not valid. Verify that you entered the correct ID and try again.");

    /// <summary>A parameter by name or ARN, with an optional version or label after a colon.</summary>
    private JsonObject? Find(RequestContext context, string name, bool decrypt)
    {
        if (name.StartsWith("arn:", StringComparison.Ordinal) && name.Split(":parameter/") is [_, var path])
        {
            name = Parameters(context).Contains("/" + path) ? "/" + path : path;
        }
        var selector = "";
        if (name.IndexOf(':', StringComparison.Ordinal) is var at and > 0)
        {
            selector = name[(at + 1)..];
            name = name[..at];
        }
        if (PublicParameters.Find(context, name) is { } known)
        {
            return known;
        }
        if (Parameters(context).Get(name) is not { } parameter)
        {
            return null;
        }
        var versions = parameter.Objects("_Versions").ToList();
        var version = selector.Length == 0 ? versions[^1] : versions.Find(item => item.Text("Version") == selector || item.Texts("Labels").Contains(selector));
        if (version is null)
        {
            return selector.Length > 0 ? throw new ServiceFault("ParameterVersionNotFound", $"Systems Manager could not find version {selector} of {name}. Verify the version and try again.") : null;
        }
        var view = version.Pick("Name", "Type", "Value", "Version", "LastModifiedDate", "ARN", "DataType", "KeyId");
        if (selector.Length > 0)
        {
            view["Selector"] = ":" + selector;
        }
        return decrypt ? Opened(context, view) : view;
    }

    /// <summary>The value of a SecureString, decrypted with its key.</summary>
    private JsonObject Opened(RequestContext context, JsonObject parameter)
    {
        if (parameter.Text("Type") == "SecureString")
        {
            var kms = Runtime.Service<Kms.KmsService>();
            var input = new JsonObject { ["CiphertextBlob"] = parameter.Text("Value"), ["EncryptionContext"] = new JsonObject { ["PARAMETER_ARN"] = parameter.Text("ARN") } };
            var plain = kms.InvokeAsync(context.Detached(), "Decrypt", input).GetAwaiter().GetResult();
            parameter["Value"] = System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(plain.Required("Plaintext")));
        }
        parameter.Remove("KeyId");
        return parameter;
    }

    /// <summary>Whether a caller's own pattern allows a value; one that cannot be read, or takes too long to apply, is the caller's mistake.</summary>
    private static bool Allows(string pattern, string value)
    {
        try
        {
            return Regex.IsMatch(value, pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        }
        catch (Exception e) when (e is ArgumentException or RegexMatchTimeoutException)
        {
            throw new ServiceFault("InvalidAllowedPatternException", $"The request does not meet the regular expression requirement. allowedPattern: {pattern}");
        }
    }

    private JsonObject PutParameter(RequestContext context, JsonObject input)
    {
        var name = input.Required("Name");
        if (!NamePattern().IsMatch(name) || name.Length > 1011)
        {
            throw new ServiceFault("ValidationException", "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_");
        }
        if (name.TrimStart('/').StartsWith("aws", StringComparison.OrdinalIgnoreCase) || name.TrimStart('/').StartsWith("ssm", StringComparison.OrdinalIgnoreCase))
        {
            throw name.StartsWith("/aws", StringComparison.OrdinalIgnoreCase)
                ? new ServiceFault("AccessDeniedException", $"No access to reserved parameter name: {name}.")
                : new ServiceFault("ValidationException", "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).");
        }
        if (name.Contains('/', StringComparison.Ordinal) && name[0] != '/')
        {
            throw new ServiceFault("ValidationException", "Parameter name must be a fully qualified name.");
        }
        var value = input.Required("Value");
        var tier = input.Text("Tier") ?? "Standard";
        if (tier == "Standard" && value.Length > 4096)
        {
            throw new ServiceFault("ValidationException", "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.");
        }
        if (input.Text("AllowedPattern") is { } pattern && !Allows(pattern, value))
        {
            throw new ServiceFault("ParameterPatternMismatchException", $"Parameter value, cannot be validated against allowedPattern: {pattern}");
        }
        return Parameters(context).Lock(() =>
        {
            var present = Parameters(context).Get(name);
            if (present is not null && !input.Is("Overwrite"))
            {
                throw new ServiceFault("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.");
            }
            if (present is not null && input.Has("Tags"))
            {
                throw new ServiceFault("ValidationException", "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.");
            }
            var type = input.Text("Type") ?? present?.Text("Type") ?? throw new ServiceFault("ValidationException", "A parameter type is required when you create a parameter.");
            var arn = context.Arn("ssm", "parameter/" + name.TrimStart('/'));
            var version = new JsonObject
            {
                ["Name"] = name,
                ["Type"] = type,
                ["Version"] = (present?.Long("Version") ?? 0) + 1,
                ["LastModifiedDate"] = Documents.Time(context.Now),
                ["LastModifiedUser"] = context.PrincipalArn,
                ["ARN"] = arn,
                ["DataType"] = input.Text("DataType") ?? "text",
                ["Tier"] = tier == "Intelligent-Tiering" ? "Standard" : tier,
                ["Policies"] = new JsonArray(),
                ["Labels"] = new JsonArray(),
            }.Take(input, "Description", "AllowedPattern");
            if (type == "SecureString")
            {
                var key = input.Text("KeyId") ?? "alias/aws/ssm";
                version["KeyId"] = key;
                version["Value"] = Runtime.Service<Kms.KmsService>().InvokeAsync(context.Detached(), "Encrypt", new JsonObject
                {
                    ["KeyId"] = key,
                    ["Plaintext"] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(value)),
                    ["EncryptionContext"] = new JsonObject { ["PARAMETER_ARN"] = arn },
                }).GetAwaiter().GetResult().Required("CiphertextBlob");
            }
            else
            {
                version["Value"] = value;
            }
            var versions = present?.Objects("_Versions").TakeLast(99).Select(item => item.Copy()).ToList() ?? [];
            var parameter = version.Copy();
            parameter.Remove("Value");
            parameter.Remove("Labels");
            parameter["_Versions"] = versions.Append(version).ToJsonList();
            parameter["_Tags"] = present?["_Tags"].Copy() ?? input["Tags"].Copy() ?? new JsonArray();
            Parameters(context).Put(name, parameter);
            return new JsonObject { ["Version"] = parameter["Version"].Copy(), ["Tier"] = parameter.Text("Tier") };
        });
    }

    private JsonObject GetParametersByPath(RequestContext context, JsonObject input)
    {
        var path = input.Required("Path").TrimEnd('/') + "/";
        var names = Parameters(context).Keys().Concat(PublicParameters.Names(context)).Where(name => name.StartsWith(path, StringComparison.Ordinal)
            && (input.Is("Recursive") || !name[path.Length..].Contains('/', StringComparison.Ordinal)));
        return Pages.Answer(input, names.Select(name => Find(context, name, input.Is("WithDecryption"))!).ToList(), "Parameters", defaultSize: 10);
    }

    private JsonObject DescribeParameters(RequestContext context, JsonObject input)
    {
        var all = Parameters(context).All().AsEnumerable();
        foreach (var filter in input.Objects("ParameterFilters"))
        {
            var (key, values, option) = (filter.Required("Key"), filter.Texts("Values"), filter.Text("Option") ?? "Equals");
            all = all.Where(parameter => key switch
            {
                "Name" => values.Any(value => option switch
                {
                    "BeginsWith" => parameter.Required("Name").StartsWith(value, StringComparison.Ordinal),
                    "Contains" => parameter.Required("Name").Contains(value, StringComparison.Ordinal),
                    _ => parameter.Text("Name") == value,
                }),
                "Path" => values.Any(value => parameter.Required("Name").StartsWith(value.TrimEnd('/') + "/", StringComparison.Ordinal)),
                "Type" => values.Contains(parameter.Text("Type")!),
                "KeyId" => values.Contains(parameter.Text("KeyId") ?? ""),
                _ when key.StartsWith("tag:", StringComparison.Ordinal) => parameter.Objects("_Tags").Any(tag => tag.Text("Key") == key[4..] && (values.Count == 0 || values.Contains(tag.Text("Value")!))),
                _ => throw new ServiceFault("InvalidFilterKey", $"The specified key isn't valid: {key}"),
            });
        }
        return Pages.Answer(input, all.ToList(), "Parameters", defaultSize: 50);
    }
}
