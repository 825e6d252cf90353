using System.Text.Json;
using System.Text.Json.Nodes;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.Templates;

namespace Inferloop.Operations.TemplateChecks;

/// <summary>Writes the module's templates and a spec's parameters for tools that know nothing of this module.</summary>
internal static class TemplateExport
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>What will be written, by file name.</summary>
    /// <param name="spec">The spec whose parameters go with it.</param>
    /// <param name="options">Where the templates come from.</param>
    /// <param name="packaged">The root template with its nested ones in S3; null to write them all as they are.</param>
    public static IReadOnlyDictionary<string, string> Files(InferloopEnvironmentSpec spec, EnvironmentOptions options, string? packaged)
    {
        var root = ShippedTemplates.Root(options);
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["parameters.json"] = new JsonArray([.. SpecMembers.ToTemplateParameters(spec).OrderBy(p => p.Key, StringComparer.Ordinal)
                .Select(p => (JsonNode)new JsonObject { ["ParameterKey"] = p.Key, ["ParameterValue"] = p.Value })]).ToJsonString(Indented) + "\n",
            // What "deploy" reads in every version of the AWS CLI; "create-stack" and "create-change-set" read the other.
            ["overrides.json"] = new JsonArray([.. SpecMembers.ToTemplateParameters(spec).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => (JsonNode)$"{p.Key}={p.Value}")]).ToJsonString(Indented) + "\n",
            ["tags.json"] = new JsonArray([.. EnvironmentPlan.TagsOf(spec).OrderBy(t => t.Key, StringComparer.Ordinal)
                .Select(t => (JsonNode)new JsonObject { ["Key"] = t.Key, ["Value"] = t.Value })]).ToJsonString(Indented) + "\n",
        };
        if (packaged is not null)
        {
            files["packaged.yaml"] = packaged;
            return files;
        }

        Add(root, files);
        return files;
    }

    /// <summary>The AWS CLI's commands for what was written.</summary>
    public static IReadOnlyList<string> Commands(InferloopEnvironmentSpec spec, string? bucket)
    {
        var tags = string.Join(' ', EnvironmentPlan.TagsOf(spec).Select(t => $"'{t.Key}={t.Value}'"));
        var deploy = $"aws cloudformation deploy --stack-name {spec.StackName} --template-file packaged.yaml --s3-bucket {bucket ?? "BUCKET"} --parameter-overrides file://overrides.json"
            + $" --tags {tags} --capabilities CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND" + (spec.Region.Length > 0 ? $" --region {spec.Region}" : "");
        return bucket is not null ? [deploy] : [$"aws cloudformation package --template-file main.yaml --s3-bucket BUCKET --output-template-file packaged.yaml", deploy];
    }

    private static void Add(string path, SortedDictionary<string, string> files)
    {
        var name = Path.GetFileName(path);
        if (files.ContainsKey(name))
        {
            return;
        }

        var template = Template.Load(path);
        files[name] = template.Text;
        foreach (var nested in TemplateWriter.NestedTemplates(template).Where(n => !n.TemplateUrl.Contains("://", StringComparison.Ordinal)))
        {
            Add(Path.Combine(Path.GetDirectoryName(path)!, nested.TemplateUrl), files);
        }
    }
}
