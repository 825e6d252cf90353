using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

internal sealed partial class CloudFormationService
{
    private void RegisterTemplates()
    {
        On("ValidateTemplate", ValidateTemplate);
        On("GetTemplate", GetTemplate);
        On("GetTemplateSummary", GetTemplateSummary);
    }

    private JsonObject ValidateTemplate(RequestContext context, JsonObject input)
    {
        var template = TemplateReader.Read(Runtime, context, input) ?? throw Invalid("Either Template URL or Template Body must be specified.");
        CheckReferences(template, context);
        var (capabilities, reason) = TemplateReader.Required(template);
        return new JsonObject
        {
            ["Description"] = template.Description,
            ["Parameters"] = Array(template.Parameters.Values.Select(parameter => (JsonNode?)new JsonObject
            {
                ["ParameterKey"] = parameter.Name,
                ["DefaultValue"] = parameter.Default,
                ["NoEcho"] = parameter.NoEcho,
                ["Description"] = parameter.Description,
            })),
            ["Capabilities"] = capabilities.Count == 0 ? null : Array(capabilities.Select(capability => (JsonNode?)capability)),
            ["CapabilitiesReason"] = reason,
            ["DeclaredTransforms"] = template.Transforms.Count == 0 ? null : Array(template.Transforms.Select(transform => (JsonNode?)transform)),
        };
    }

    /// <summary>References, functions and cycles are checked too, whatever the parameters will be.</summary>
    private void CheckReferences(Template template, RequestContext context)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var parameter in template.Parameters.Values.Where(parameter => parameter.Default is null && parameter.AllowedValues.Count > 0))
        {
            given[parameter.Name] = parameter.AllowedValues[0];
        }
        try
        {
            var definition = new StackDefinition { Template = template, Parameters = given };
            engine.EvaluateAsync(context, null, "validation", definition, null).GetAwaiter().GetResult();
        }
        catch (TemplateException e)
        {
            // Values are not given here, so what only a value could decide is no error of the template.
            var structural = e.Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error && diagnostic.Code is
                DiagnosticCodes.UnresolvedReference or DiagnosticCodes.CircularDependency or DiagnosticCodes.UnknownFunction or DiagnosticCodes.InvalidFunction
                && !diagnostic.Message.Contains("export", StringComparison.Ordinal)).ToList();
            if (structural.Count > 0)
            {
                throw TemplateFaults.For(new TemplateException(structural), template);
            }
        }
    }

    private JsonObject GetTemplate(RequestContext context, JsonObject input)
    {
        var changeSetName = Optional(input, "ChangeSetName");
        Template? template;
        if (changeSetName is not null)
        {
            template = FindChangeSet(context, changeSetName, Optional(input, "StackName")).ChangeSet.Definition?.Template;
        }
        else
        {
            var name = Optional(input, "StackName") ?? throw Invalid("Either StackName or ChangeSetName must be specified.");
            template = Find(context, name).Definition?.Template;
        }
        return new JsonObject
        {
            ["TemplateBody"] = template?.Text ?? "",
            ["StagesAvailable"] = template is null ? new JsonArray() : new JsonArray("Original", "Processed"),
        };
    }

    private JsonObject GetTemplateSummary(RequestContext context, JsonObject input)
    {
        var template = TemplateReader.Read(Runtime, context, input)
            ?? (Optional(input, "StackName") is { } name ? Find(context, name).Definition?.Template : null)
            ?? throw Invalid("Either StackName, Template URL or Template Body must be specified.");
        var (capabilities, reason) = TemplateReader.Required(template);
        return new JsonObject
        {
            ["Description"] = template.Description,
            ["Version"] = "2010-09-09",
            ["Metadata"] = template.Metadata is null ? null : ValueRendering.Text(template.Metadata.ToJson()),
            ["Parameters"] = Array(template.Parameters.Values.Select(parameter => (JsonNode?)new JsonObject
            {
                ["ParameterKey"] = parameter.Name,
                ["DefaultValue"] = parameter.Default,
                ["ParameterType"] = parameter.Type,
                ["NoEcho"] = parameter.NoEcho,
                ["Description"] = parameter.Description,
                ["ParameterConstraints"] = parameter.AllowedValues.Count == 0 ? new JsonObject() : new JsonObject
                {
                    ["AllowedValues"] = Array(parameter.AllowedValues.Select(value => (JsonNode?)value)),
                },
            })),
            ["Capabilities"] = capabilities.Count == 0 ? null : Array(capabilities.Select(capability => (JsonNode?)capability)),
            ["CapabilitiesReason"] = reason,
            ["ResourceTypes"] = Array(template.Resources.Values.Select(resource => resource.Type).Distinct(StringComparer.Ordinal).Select(type => (JsonNode?)type)),
            ["DeclaredTransforms"] = template.Transforms.Count == 0 ? null : Array(template.Transforms.Select(transform => (JsonNode?)transform)),
            ["ResourceIdentifierSummaries"] = Array(template.Resources.Values.GroupBy(resource => resource.Type, StringComparer.Ordinal)
                .Select(group => (Type: group.Key, Specification: ResourceSpecification.Default.Find(group.Key), Names: group.Select(resource => resource.LogicalId)))
                .Where(group => group.Specification is { PrimaryIdentifier.Count: > 0 })
                .Select(group => (JsonNode?)new JsonObject
                {
                    ["ResourceType"] = group.Type,
                    ["LogicalResourceIds"] = Array(group.Names.Select(id => (JsonNode?)id)),
                    // One way to name a resource of the type, which takes all of these together.
                    ["ResourceIdentifiers"] = new JsonArray(string.Join(',', group.Specification!.PrimaryIdentifier)),
                })),
        };
    }
}
