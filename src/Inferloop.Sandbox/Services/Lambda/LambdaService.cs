using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Iam;

namespace Inferloop.Sandbox.Services.Lambda;

/// <summary>
/// Lambda: functions with their versions, aliases, permissions, concurrency, event sources and URLs.
/// </summary>
/// <remarks>
/// No code is ever run. What an invocation of a function gives is what the function's tag <c>inferloop:sandbox-behaviour</c> declares
/// (see <see cref="FunctionBehaviour"/>); without the tag it succeeds with the payload <c>null</c>. Invocations are recorded, logged as Lambda's
/// platform logs them, counted in CloudWatch and held to their concurrency. The package is checked and measured, not kept.
/// </remarks>
internal sealed partial class LambdaService : SandboxService
{
    private const string Latest = "$LATEST";

    public LambdaService(SandboxRuntime runtime)
        : base(runtime, "lambda")
    {
        AddFunctions();
        AddVersions();
        AddInvocations();
        AddConcurrency();
        AddPermissions();
        AddMappings();
        AddLayers();
        AddUrls();
        On("TagResource", (context, input) => Retag(context, input, tags =>
        {
            foreach (var (key, value) in input.Child("Tags") ?? [])
            {
                tags[key] = value.Copy();
            }
        }));
        On("UntagResource", (context, input) => Retag(context, input, tags =>
        {
            foreach (var key in input.Texts("TagKeys"))
            {
                tags.Remove(key);
            }
        }));
        On("ListTags", (context, input) => new JsonObject { ["Tags"] = Tagged(context, input.Required("Resource")).Document["_Tags"].Copy() ?? new JsonObject() });
        On("GetAccountSettings", (context, _) => new JsonObject
        {
            ["AccountLimit"] = new JsonObject
            {
                ["TotalCodeSize"] = 80_530_636_800,
                ["CodeSizeUnzipped"] = MaximumUnzipped,
                ["CodeSizeZipped"] = MaximumZipped,
                ["ConcurrentExecutions"] = AccountConcurrency,
                ["UnreservedConcurrentExecutions"] = AccountConcurrency - Reserved(context, null),
            },
            ["AccountUsage"] = new JsonObject { ["TotalCodeSize"] = Functions(context).All().Sum(item => item.Long("CodeSize") ?? 0), ["FunctionCount"] = Functions(context).Count },
        });
    }

    private Collection Functions(RequestContext context) => Collection(context, "functions");

    private Collection Versions(RequestContext context) => Collection(context, "versions");

    private Collection Aliases(RequestContext context) => Collection(context, "aliases");

    private static ServiceFault Fault(string code, string message, int status, string type = "User", string? reason = null)
    {
        var members = new JsonObject { ["Type"] = type };
        return new ServiceFault(code, message, status, reason is null ? members : members.With("Reason", reason));
    }

    private static ServiceFault Invalid(string message) => Fault("InvalidParameterValueException", message, 400);

    private static ServiceFault NotFound(string message) => Fault("ResourceNotFoundException", message, 404);

    private static ServiceFault Conflict(string message) => Fault("ResourceConflictException", message, 409);

    /// <summary>A function as callers may name it: name, name:qualifier, account:function:name, or an ARN with or without a qualifier.</summary>
    private static (string Name, string? Qualifier) Named(JsonObject input, string member = "FunctionName")
    {
        var text = input.Required(member);
        var parts = text.Split(':');
        var (name, qualifier) = parts switch
        {
            ["arn", _, "lambda", _, _, "function", var own] => (own, (string?)null),
            ["arn", _, "lambda", _, _, "function", var own, var which] => (own, which),
            [_, "function", var own] => (own, null),
            [_, "function", var own, var which] => (own, which),
            [var own] => (own, null),
            [var own, var which] => (own, which),
            _ => throw Invalid($"Invalid function name: {text}"),
        };
        if (input.Text("Qualifier") is { } asked)
        {
            if (qualifier is not null && qualifier != asked)
            {
                throw Invalid("The derived qualifier from the function name does not match the specified qualifier.");
            }
            qualifier = asked;
        }
        return (name, qualifier);
    }

    private static string ArnOf(RequestContext context, string name, string? qualifier = null) => context.Arn("lambda", $"function:{name}{(qualifier is null ? "" : ":" + qualifier)}");

    private JsonObject Function(RequestContext context, string name) => Functions(context).Get(name) ?? throw NotFound($"Function not found: {ArnOf(context, name)}");

    /// <summary>The configuration that a name and a qualifier stand for; an alias gives the version it points to first.</summary>
    private JsonObject Resolve(RequestContext context, string name, string? qualifier)
    {
        var function = Function(context, name);
        if (qualifier is null or Latest)
        {
            return function;
        }
        var version = Aliases(context).Get($"{name}:{qualifier}")?.Text("FunctionVersion") ?? qualifier;
        return version == Latest ? function : Versions(context).Get($"{name}:{version}") ?? throw NotFound($"Function not found: {ArnOf(context, name, qualifier)}");
    }

    /// <summary>Whether there is a function of an ARN, for services that send to it.</summary>
    public bool Exists(RequestContext context, string arn)
    {
        if (arn.Split(':') is not ["arn", _, "lambda", var region, var account, "function", var name, ..])
        {
            return false;
        }
        var (owner, parts) = (context.With(account, region), arn.Split(':'));
        return Functions(owner).Contains(name) && (parts.Length == 7 || parts[7] == Latest || Versions(owner).Contains($"{name}:{parts[7]}") || Aliases(owner).Contains($"{name}:{parts[7]}"));
    }

    private static void CheckRevision(JsonObject input, JsonObject document)
    {
        if (input.Text("RevisionId") is { } revision && revision != document.Text("RevisionId"))
        {
            throw Fault("PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id", 412);
        }
    }

    private void RequireRole(RequestContext context, string arn)
    {
        if (Runtime.Service<IamService>().FindRole(context, arn)?.Required("AssumeRolePolicyDocument").Contains("lambda.amazonaws.com", StringComparison.Ordinal) != true)
        {
            throw Invalid("The role defined for the function cannot be assumed by Lambda.");
        }
    }

    private (Collection Kind, string Key, JsonObject Document) Tagged(RequestContext context, string arn)
    {
        var key = arn.Split(':')[^1];
        var kind = arn.Contains(":event-source-mapping:", StringComparison.Ordinal) ? Mappings(context) : Functions(context);
        return kind.Get(key) is { } found ? (kind, key, found) : throw NotFound($"{(kind == Functions(context) ? "Function" : "Event source mapping")} not found: {arn}");
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        var (kind, key, _) = Tagged(context, input.Required("Resource"));
        kind.Update(key, document =>
        {
            var tags = document.ChildOrNew("_Tags").Copy();
            change(tags);
            Tags.Check(Tags.FromMap(tags), "InvalidParameterValueException");
            document["_Tags"] = tags;
        });
        return [];
    }
}
