using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CodePipeline;

/// <summary>
/// CodeConnections: connections to repositories elsewhere. One made by an API call is PENDING until a person completes the handshake in the
/// console; here <see cref="Complete"/> stands for that person.
/// </summary>
internal sealed class CodeConnectionsService : SandboxService
{
    public CodeConnectionsService(SandboxRuntime runtime)
        : base(runtime, "codeconnections")
    {
        On("CreateConnection", (context, input) =>
        {
            if (input.Has("ProviderType") == input.Has("HostArn"))
            {
                throw Invalid("Exactly one of ProviderType and HostArn must be specified.");
            }
            var provider = input.Text("ProviderType") ?? (Hosts(context).Get(input.Required("HostArn")) ?? throw NotFound(input.Required("HostArn"))).Required("ProviderType");
            var arn = context.Arn("codeconnections", "connection/" + Runtime.Ids.Uuid());
            Connections(context).Put(arn, new JsonObject
            {
                ["ConnectionName"] = input.Text("ConnectionName"),
                ["ConnectionArn"] = arn,
                ["ProviderType"] = provider,
                ["OwnerAccountId"] = context.AccountId,
                ["ConnectionStatus"] = "PENDING",
                ["_Tags"] = input["Tags"].Copy() ?? new JsonArray(),
            }.Take(input, "HostArn"));
            return new JsonObject { ["ConnectionArn"] = arn }.With("Tags", input["Tags"].Copy());
        });
        On("GetConnection", (context, input) => new JsonObject { ["Connection"] = Connections(context).Get(input.Required("ConnectionArn")) ?? throw NotFound(input.Required("ConnectionArn")) });
        On("ListConnections", (context, input) => Pages.Answer(input, Connections(context).Where(item => (input.Text("ProviderTypeFilter") is not { } provider || item.Text("ProviderType") == provider)
            && (input.Text("HostArnFilter") is not { } host || item.Text("HostArn") == host)), "Connections", defaultSize: 100, tokenErrorCode: "InvalidInputException"));
        On("DeleteConnection", (context, input) => Connections(context).Remove(input.Required("ConnectionArn")) ? [] : throw NotFound(input.Required("ConnectionArn")));
        On("CreateHost", (context, input) =>
        {
            var arn = context.Arn("codeconnections", $"host/{input.Text("Name")}-{Runtime.Ids.Hex(8)}");
            Hosts(context).Put(arn, input.Pick("Name", "ProviderType", "ProviderEndpoint", "VpcConfiguration").With("HostArn", arn).With("Status", "PENDING").With("_Tags", input["Tags"].Copy() ?? new JsonArray()));
            return new JsonObject { ["HostArn"] = arn }.With("Tags", input["Tags"].Copy());
        });
        On("GetHost", (context, input) => Hosts(context).Get(input.Required("HostArn")) ?? throw NotFound(input.Required("HostArn")));
        On("ListHosts", (context, input) => Pages.Answer(input, Hosts(context).All(), "Hosts", defaultSize: 100, tokenErrorCode: "InvalidInputException"));
        On("DeleteHost", (context, input) => Connections(context).Any(item => item.Text("HostArn") == input.Text("HostArn"))
            ? throw new ServiceFault("ResourceUnavailableException", "The host has connections.")
            : Hosts(context).Remove(input.Required("HostArn")) ? [] : throw NotFound(input.Required("HostArn")));
        On("TagResource", (context, input) => Retag(context, input, document => Tags.Put(document, "_Tags", input.Objects("Tags"))));
        On("UntagResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("TagKeys"))));
        On("ListTagsForResource", (context, input) => new JsonObject { ["Tags"] = Owner(context, input).Get(input.Required("ResourceArn"))!["_Tags"].Copy() });
    }

    private Collection Connections(RequestContext context) => Collection(context, "connections");

    private Collection Hosts(RequestContext context) => Collection(context, "hosts");

    private static ServiceFault Invalid(string message) => new("InvalidInputException", message);

    private static ServiceFault NotFound(string arn) => new("ResourceNotFoundException", $"Resource not found: {arn}");

    /// <summary>The handshake that a person makes in the console.</summary>
    public bool Complete(RequestContext context, string arn) => Connections(context).Update(arn, connection => connection["ConnectionStatus"] = "AVAILABLE") is not null;

    /// <summary>The status of a connection; null when there is none.</summary>
    public string? StatusOf(RequestContext context, string arn) => Connections(context).Get(arn)?.Text("ConnectionStatus");

    private Collection Owner(RequestContext context, JsonObject input)
    {
        var arn = input.Required("ResourceArn");
        return Connections(context).Contains(arn) ? Connections(context) : Hosts(context).Contains(arn) ? Hosts(context) : throw NotFound(arn);
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        Owner(context, input).Update(input.Required("ResourceArn"), change);
        return [];
    }
}
