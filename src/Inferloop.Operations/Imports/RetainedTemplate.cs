using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Amazon.CloudFormation.Model;
using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Imports;

/// <summary>
/// A stack for what environments left behind on purpose: made from what the resources are, and extended by what later environments
/// leave. Everything in it stays when it goes.
/// </summary>
internal sealed partial class RetainedTemplate(EnvironmentOperations operations)
{
    private const string Mark = "Inferloop::Retained";

    /// <summary>Whether a kept resource of the type can be imported without a template of the user's own.</summary>
    public static bool CanTake(string type) => Identifiers.ContainsKey(type);

    // AWS itself finds these by the property that is their physical id.
    private static readonly Dictionary<string, string> Identifiers = new(StringComparer.Ordinal)
    {
        ["AWS::S3::Bucket"] = "BucketName",
        ["AWS::DynamoDB::GlobalTable"] = "TableName",
        ["AWS::DynamoDB::Table"] = "TableName",
        ["AWS::Logs::LogGroup"] = "LogGroupName",
        ["AWS::KMS::Key"] = "KeyId",
        ["AWS::ECR::Repository"] = "RepositoryName",
    };

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The request that takes the resources into the stack.</summary>
    public async Task<ImportRequest> RequestAsync(string stackName, IReadOnlyList<InferloopRetainedResource> retained, CancellationToken cancellation)
    {
        operations.Report($"Importing into {stackName}", "Reading what was kept");
        var template = await PresentAsync(stackName, cancellation).ConfigureAwait(false) ?? Empty();
        var resources = template["Resources"]!.AsObject();
        var reader = new RetainedResourceReader(operations.Aws);
        var wanted = new Dictionary<string, ImportIdentifier>(StringComparer.Ordinal);
        foreach (var kept in retained.DistinctBy(r => (r.Type, r.PhysicalId)))
        {
            var taken = resources.FirstOrDefault(r => (string?)r.Value?["Metadata"]?[Mark] == kept.PhysicalId).Key;
            var properties = taken is null ? await reader.ReadAsync(kept.Type, kept.PhysicalId, cancellation).ConfigureAwait(false) : null;
            if (!Identifiers.TryGetValue(kept.Type, out var identifier) || (taken is null && properties is null))
            {
                operations.Warn(kept.Type is EnvironmentOperations.DatabaseSnapshotType or EnvironmentOperations.CacheSnapshotType
                    ? $"{kept} is left out: a snapshot stands in no stack. It stays as it is until someone deletes it."
                    : $"{kept} is left out: a template cannot be made from what it is. Write one, and import it with Import-InferloopResource -TemplatePath.");
                continue;
            }

            var id = taken ?? Free(resources, kept.Path);
            if (properties is not null)
            {
                resources[id] = new JsonObject
                {
                    ["Type"] = kept.Type,
                    ["DeletionPolicy"] = "Retain",
                    ["UpdateReplacePolicy"] = "Retain",
                    ["Metadata"] = new JsonObject { [Mark] = kept.PhysicalId },
                    ["Properties"] = properties,
                };
            }

            wanted[id] = ImportIdentifier.Of(new Dictionary<string, string> { [identifier] = kept.PhysicalId });
        }

        return wanted.Count == 0
            ? throw new OperationException(
                "RetainedNothing", OperationErrorKind.InvalidArgument, "None of the kept resources can be imported without a template.", "Write one, and name it with Import-InferloopResource -TemplatePath.", stackName)
            : new ImportRequest { StackName = stackName, TemplateBody = Text(template), Resources = wanted };
    }

    // Readable, as long as CloudFormation takes it so.
    private static string Text(JsonObject template) =>
        template.ToJsonString(Indented) is var text && Encoding.UTF8.GetByteCount(text) <= TemplatePackager.BodyLimit ? text : template.ToJsonString();

    private static JsonObject Empty() => new()
    {
        ["AWSTemplateFormatVersion"] = "2010-09-09",
        ["Description"] = "What environments of Inferloop left behind on purpose.",
        ["Metadata"] = new JsonObject { [Mark] = true },
        ["Resources"] = new JsonObject(),
    };

    /// <summary>The template of the stack, if it is one of these; null where there is no stack.</summary>
    private async Task<JsonObject?> PresentAsync(string stackName, CancellationToken cancellation)
    {
        var stack = await operations.FindStackAsync(stackName, cancellation).ConfigureAwait(false);
        if (stack is null || stack.StackStatus == "REVIEW_IN_PROGRESS")
        {
            return null;
        }

        var body = (await operations.Aws.CloudFormation.GetTemplateAsync(new GetTemplateRequest { StackName = stack.StackId, TemplateStage = "Original" }, cancellation).ConfigureAwait(false)).TemplateBody ?? "";
        return body.TrimStart().StartsWith('{') && JsonNode.Parse(body) is JsonObject template && template["Metadata"]?[Mark] is not null && template["Resources"] is JsonObject
            ? template
            : throw new OperationException(
                "RetainedStackForeign", OperationErrorKind.InvalidArgument, $"The stack '{stackName}' was not made from what environments left; its template cannot be extended without its author.",
                "Name another stack, or add the resources to its template and name that with Import-InferloopResource -TemplatePath.", stackName);
    }

    /// <summary>A logical id made of the path in the environment that was: Storage/DataBucket is StorageDataBucket, a second one StorageDataBucket2.</summary>
    private static string Free(JsonObject resources, string path)
    {
        var id = NotAlphanumeric().Replace(path, "") is { Length: > 0 } name ? name : "Resource";
        for (var number = 1; ; number++)
        {
            var candidate = number == 1 ? id : $"{id}{number}";
            if (!resources.ContainsKey(candidate))
            {
                return candidate;
            }
        }
    }

    [GeneratedRegex("[^A-Za-z0-9]")]
    private static partial Regex NotAlphanumeric();
}
