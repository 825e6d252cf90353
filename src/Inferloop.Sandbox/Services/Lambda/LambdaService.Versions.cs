using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Lambda;

/// <summary>Published versions and the aliases that point to them.</summary>
internal sealed partial class LambdaService
{
    private void AddVersions()
    {
        On("PublishVersion", (context, input) =>
        {
            var name = Named(input).Name;
            var function = Function(context, name);
            CheckRevision(input, function);
            if (input.Text("CodeSha256") is { } digest && digest != function.Text("CodeSha256"))
            {
                throw Invalid($"CodeSHA256 ({digest}) is different from current CodeSHA256 in $LATEST ({function.Text("CodeSha256")}). Please try again with the CodeSHA256 in $LATEST.");
            }
            if (function.Text("LastUpdateStatus") == "InProgress" || function.Text("State") == "Pending")
            {
                throw Conflict($"The operation cannot be performed at this time. An update is in progress for resource: {function.Text("FunctionArn")}");
            }
            return Publish(context, name, input.Text("Description"));
        });
        On("ListVersionsByFunction", (context, input) =>
        {
            var function = Function(context, Named(input).Name);
            var all = Versions(context).Where(version => version.Text("FunctionName") == function.Text("FunctionName")).OrderBy(version => version.Int("Version"))
                .Prepend(View(context, function, Latest)).ToList();
            return Pages.Answer(input, all, "Versions", "MaxItems", "Marker", 50, "InvalidParameterValueException", "NextMarker");
        });
        On("CreateAlias", (context, input) =>
        {
            var name = Function(context, Named(input).Name).Required("FunctionName");
            var alias = input.Required("Name");
            if (int.TryParse(alias, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                throw Invalid($"1 validation error detected: Value '{alias}' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)");
            }
            CheckRouting(context, name, input.Required("FunctionVersion"), input.Child("RoutingConfig"));
            var made = new JsonObject
            {
                ["AliasArn"] = ArnOf(context, name, alias),
                ["Name"] = alias,
                ["FunctionVersion"] = input.Text("FunctionVersion"),
                ["Description"] = input.Text("Description") ?? "",
                ["RevisionId"] = Runtime.Ids.Uuid(),
                ["_Function"] = name,
            };
            Route(made, input);
            return Aliases(context).TryAdd($"{name}:{alias}", made) ? made : throw Conflict($"Alias already exists: {made.Text("AliasArn")}");
        });
        On("UpdateAlias", (context, input) =>
        {
            var alias = Alias(context, input);
            CheckRevision(input, alias);
            var name = alias.Required("_Function");
            CheckRouting(context, name, input.Text("FunctionVersion") ?? alias.Required("FunctionVersion"), input.Child("RoutingConfig"));
            return Aliases(context).Update($"{name}:{alias.Text("Name")}", document =>
            {
                document.Take(input, "FunctionVersion", "Description");
                Route(document, input);
                document["RevisionId"] = Runtime.Ids.Uuid();
            })!;
        });
        On("GetAlias", Alias);
        On("ListAliases", (context, input) =>
        {
            var name = Function(context, Named(input).Name).Text("FunctionName");
            var all = Aliases(context).Where(alias => alias.Text("_Function") == name && (input.Text("FunctionVersion") is not { } version || alias.Text("FunctionVersion") == version)).ToList();
            return Pages.Answer(input, all, "Aliases", "MaxItems", "Marker", 50, "InvalidParameterValueException", "NextMarker");
        });
        On("DeleteAlias", (context, input) =>
        {
            // An alias that is not there counts as deleted.
            var key = $"{Function(context, Named(input).Name).Text("FunctionName")}:{input.Text("Name")}";
            foreach (var kind in new[] { Aliases(context), Provisioned(context), InvokeConfigs(context), Urls(context) })
            {
                kind.Remove(key);
            }
            return [];
        });
    }

    private static void Route(JsonObject alias, JsonObject input)
    {
        if (input.Has("RoutingConfig"))
        {
            alias.Remove("RoutingConfig");
            if (input.Child("RoutingConfig")!.Child("AdditionalVersionWeights") is { Count: > 0 } weights)
            {
                alias["RoutingConfig"] = new JsonObject { ["AdditionalVersionWeights"] = weights.Copy() };
            }
        }
    }

    private JsonObject Alias(RequestContext context, JsonObject input)
    {
        var name = Function(context, Named(input).Name).Required("FunctionName");
        return Aliases(context).Get($"{name}:{input.Text("Name")}") ?? throw NotFound($"Cannot find alias arn: {ArnOf(context, name, input.Text("Name"))}");
    }

    private void CheckRouting(RequestContext context, string name, string version, JsonObject? routing)
    {
        if (version != Latest && !Versions(context).Contains($"{name}:{version}"))
        {
            throw NotFound($"Function not found: {ArnOf(context, name, version)}");
        }
        var weights = routing?.Child("AdditionalVersionWeights") ?? [];
        if (weights.Count > 1)
        {
            throw Invalid("Number of items in AdditionalVersionWeights cannot be greater than 1. Update your routing configuration to have at most one additional version.");
        }
        foreach (var (other, _) in weights)
        {
            var weight = weights.Double(other) ?? 0;
            if (version == Latest || other == Latest)
            {
                throw Invalid("$LATEST is not supported for an alias pointing to more than 1 version");
            }
            if (other == version)
            {
                throw Invalid($"Invalid function version {other}. Function version {other} is already included in routing configuration.");
            }
            if (!Versions(context).Contains($"{name}:{other}"))
            {
                throw NotFound($"Function not found: {ArnOf(context, name, other)}");
            }
            if (weight is < 0 or > 1)
            {
                throw Invalid($"Value '{{{other}={weight}}}' failed to satisfy constraint: Member must have value between 0.0 and 1.0");
            }
        }
    }

    /// <summary>Publishes what $LATEST is; nothing new is published when nothing has changed since the last version.</summary>
    private JsonObject Publish(RequestContext context, string name, string? description) => Functions(context).Lock(() =>
    {
        var function = Function(context, name);
        var last = function.Int("_NextVersion")!.Value - 1;
        if (last > 0 && !function.Is("_Changed") && Versions(context).Get($"{name}:{last}") is { } same)
        {
            return same;
        }
        var number = (last + 1).ToString(CultureInfo.InvariantCulture);
        var version = function.Copy();
        version["Version"] = number;
        version["FunctionArn"] = ArnOf(context, name, number);
        version["RevisionId"] = Runtime.Ids.Uuid();
        version["State"] = "Pending";
        version["StateReason"] = "The function is being created.";
        version["StateReasonCode"] = "Creating";
        version.Remove("LastUpdateStatus");
        version.Remove("LastUpdateStatusReason");
        version.Remove("LastUpdateStatusReasonCode");
        version.With("Description", description);
        Versions(context).Put($"{name}:{number}", version);
        Functions(context).Update(name, document =>
        {
            document["_NextVersion"] = last + 2;
            document["_Changed"] = false;
        });
        Runtime.After(Durations.LambdaPublish, () => Versions(context).Update($"{name}:{number}", Activate));
        return version;
    });
}
