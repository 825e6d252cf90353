using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Lambda;

/// <summary>Layers and their versions.</summary>
internal sealed partial class LambdaService
{
    private void AddLayers()
    {
        On("PublishLayerVersion", (context, input) =>
        {
            var package = FunctionPackage.Read(context, input.Child("Content")!, "Zip", MaximumUnzipped);
            var name = LayerName(input);
            return Layers(context).Lock(() =>
            {
                var number = Layers(context).Where(item => item.Text("_Name") == name).Select(item => item.Int("Version") ?? 0).Append(Collection(context, "layer-numbers").Get(name)?.Int("Last") ?? 0).Max() + 1;
                Collection(context, "layer-numbers").Put(name, new JsonObject { ["Last"] = number });
                var layer = new JsonObject
                {
                    ["Content"] = new JsonObject { ["CodeSha256"] = package.Digest, ["CodeSize"] = package.Size },
                    ["LayerArn"] = context.Arn("lambda", "layer:" + name),
                    ["LayerVersionArn"] = context.Arn("lambda", $"layer:{name}:{number}"),
                    ["Description"] = input.Text("Description") ?? "",
                    ["CreatedDate"] = Moment(context.Now),
                    ["Version"] = number,
                    ["_Name"] = name,
                    ["_Statements"] = new JsonArray(),
                }.Take(input, "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo");
                Layers(context).Put(LayerKey(name, number), layer);
                return layer;
            });
        });
        On("GetLayerVersion", (context, input) => Layer(context, input));
        On("GetLayerVersionByArn", (context, input) => Layer(context, input.Required("Arn")));
        On("ListLayerVersions", (context, input) => Pages.Answer(input, Layers(context).Where(item => item.Text("_Name") == LayerName(input)).OrderByDescending(item => item.Int("Version")).ToList(), "LayerVersions", "MaxItems", "Marker", 50, "InvalidParameterValueException", "NextMarker"));
        On("ListLayers", (context, input) => Pages.Answer(input, Layers(context).All().GroupBy(item => item.Required("_Name")).Select(group => new JsonObject
        {
            ["LayerName"] = group.Key,
            ["LayerArn"] = group.First().Text("LayerArn"),
            ["LatestMatchingVersion"] = group.MaxBy(item => item.Int("Version"))!.Copy(),
        }).ToList(), "Layers", "MaxItems", "Marker", 50, "InvalidParameterValueException", "NextMarker"));
        On("DeleteLayerVersion", (context, input) =>
        {
            // Functions keep the versions they use; one that is not there counts as deleted.
            Layers(context).Remove(LayerKey(LayerName(input), input.Int("VersionNumber") ?? 0));
            return [];
        });
        On("AddLayerVersionPermission", (context, input) =>
        {
            var layer = Layer(context, input);
            if (layer.Objects("_Statements").Any(item => item.Text("Sid") == input.Text("StatementId")))
            {
                throw Conflict($"The statement id ({input.Text("StatementId")}) provided already exists. Please provide a new statement id, or remove the existing statement.");
            }
            var principal = input.Required("Principal");
            var statement = new JsonObject
            {
                ["Sid"] = input.Text("StatementId"),
                ["Effect"] = "Allow",
                ["Principal"] = principal == "*" ? "*" : new JsonObject { ["AWS"] = $"arn:{context.Partition}:iam::{principal}:root" },
                ["Action"] = input.Text("Action"),
                ["Resource"] = layer.Text("LayerVersionArn"),
            };
            Layers(context).Update(LayerKey(LayerName(input), input.Int("VersionNumber") ?? 0), document => document.ListOrNew("_Statements").Add((JsonNode)statement.Copy()));
            return new JsonObject { ["Statement"] = statement.ToJsonString(), ["RevisionId"] = Runtime.Ids.Uuid() };
        });
        On("RemoveLayerVersionPermission", (context, input) =>
        {
            if (!Layer(context, input).Objects("_Statements").Any(item => item.Text("Sid") == input.Text("StatementId")))
            {
                throw NotFound($"Statement {input.Text("StatementId")} is not found in resource policy.");
            }
            Layers(context).Update(LayerKey(LayerName(input), input.Int("VersionNumber") ?? 0), document => document["_Statements"] = document.Objects("_Statements").Where(item => item.Text("Sid") != input.Text("StatementId")).ToJsonList());
            return [];
        });
        On("GetLayerVersionPolicy", (context, input) =>
        {
            var statements = Layer(context, input).Objects("_Statements").ToList();
            return statements.Count == 0 ? throw NotFound("No policy is associated with the given resource.")
                : new JsonObject { ["Policy"] = new JsonObject { ["Version"] = "2012-10-17", ["Id"] = "default", ["Statement"] = statements.ToJsonList().Copy() }.ToJsonString(), ["RevisionId"] = Runtime.Ids.Uuid() };
        });
    }

    private Collection Layers(RequestContext context) => Collection(context, "layers");

    private static string LayerKey(string name, int version) => $"{name}:{version.ToString("D6", CultureInfo.InvariantCulture)}";

    private static string LayerName(JsonObject input) => input.Required("LayerName").Split(':')[^1];

    private JsonObject Layer(RequestContext context, JsonObject input) => Layers(context).Get(LayerKey(LayerName(input), input.Int("VersionNumber") ?? 0)) ?? throw NotFound("The resource you requested does not exist.");

    private JsonObject Layer(RequestContext context, string arn)
    {
        var found = arn.Split(':') is [.., var name, var number] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? Layers(context).Get(LayerKey(name, version)) : null;
        return found ?? throw Invalid($"Layer version {arn} does not exist.");
    }

    private long LayerSize(RequestContext context, string arn) => arn.Split(':') is [_, _, _, _, var account, _, var name, var number] && account == context.AccountId && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
        ? Layers(context).Get(LayerKey(name, version))?.Child("Content")?.Long("CodeSize") ?? 0 : 0;
}
