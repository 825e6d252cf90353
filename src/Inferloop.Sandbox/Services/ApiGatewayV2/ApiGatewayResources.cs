using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ApiGatewayV2;

/// <summary>The AWS::ApiGatewayV2 resource types.</summary>
internal static class ApiGatewayResources
{
    private static readonly string[] NotFound = ["NotFoundException"];

    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<ApiGatewayService>();
        return [Api(service), Part(service, "Integration", "IntegrationId"), Part(service, "Route", "RouteId"), Part(service, "Authorizer", "AuthorizerId"), Part(service, "Deployment", "DeploymentId"), Part(service, "Stage", "StageName")];
    }

    private static string Arn(ProvisionContext context, string path) => $"arn:{context.Request.Partition}:apigateway:{context.Request.Region}::/{path}";

    private static JsonObject Properties(ApiGatewayService service, string shape, JsonObject found, params ReadOnlySpan<string> without)
    {
        var properties = (JsonObject)PropertyMapper.ToProperties(service.Model.Shape(shape), found)!;
        foreach (var name in without)
        {
            properties.Remove(name);
        }
        if (found.Has("Tags"))
        {
            properties["Tags"] = found.Map("Tags").Where(tag => !tag.Key.StartsWith("aws:", StringComparison.Ordinal)).ToMap();
        }
        return properties;
    }

    private static JsonObject Tagged(ProvisionContext context, JsonObject properties) => properties.Copy().With("Tags", Tags.AsMap(context.MergedTags(properties["Tags"]).OfType<JsonObject>()));

    private static Provider Api(ApiGatewayService service)
    {
        static JsonObject Id(string id) => new() { ["ApiId"] = id };
        return new Provider("AWS::ApiGatewayV2::Api")
        {
            Gone = NotFound,
            Create = async (context, properties) =>
            {
                if (properties.Has("Body") || properties.Has("BodyS3Location"))
                {
                    throw new ServiceFault("NotImplemented", "The sandbox makes no APIs from OpenAPI documents. Nothing was changed.", 501);
                }
                return (await service.CallMappedAsync(context, "CreateApi", Tagged(context, properties)).ConfigureAwait(false)).Required("ApiId");
            },
            Update = async (context, id, before, after) =>
            {
                await service.CallMappedAsync(context, "UpdateApi", after.Copy().With("ApiId", id)).ConfigureAwait(false);
                if (before.Has("CorsConfiguration") && !after.Has("CorsConfiguration"))
                {
                    await service.CallAsync(context, "DeleteCorsConfiguration", Id(id)).ConfigureAwait(false);
                }
                await service.RetagAsync(context, before, after, Arn(context, "apis/" + id), "ResourceArn", "Tags", "TagKeys").ConfigureAwait(false);
            },
            Delete = (context, id, _) => service.CallAsync(context, "DeleteApi", Id(id)),
            Read = async (context, id) => Properties(service, "Api", await service.CallAsync(context, "GetApi", Id(id)).ConfigureAwait(false), "ApiEndpoint", "ApiId", "CreatedDate", "ImportInfo", "Warnings", "ApiGatewayManaged"),
            Attributes = async (context, id) => ProviderExtensions.Attributes(("ApiId", id), ("ApiEndpoint", (await service.CallAsync(context, "GetApi", Id(id)).ConfigureAwait(false))["ApiEndpoint"])),
        };
    }

    /// <summary>A part of an API: its id is the API's and its own, of which Ref gives the second.</summary>
    private static Provider Part(ApiGatewayService service, string kind, string idMember)
    {
        JsonObject Id(string id) => new() { ["ApiId"] = id.Split('|')[0], [idMember] = id.Split('|')[1] };
        JsonObject Source(ProvisionContext context, JsonObject properties) => kind == "Stage" ? Tagged(context, properties) : properties;
        return new Provider("AWS::ApiGatewayV2::" + kind)
        {
            Gone = NotFound,
            Create = async (context, properties) => $"{properties.Text("ApiId")}|{(await service.CallMappedAsync(context, "Create" + kind, Source(context, properties)).ConfigureAwait(false)).Text(idMember)}",
            Reference = id => id.Split('|')[1],
            Update = async (context, id, before, after) =>
            {
                var input = PropertyMapper.ToInput(service, "Update" + kind, after);
                foreach (var (key, value) in Id(id))
                {
                    input[key] = value.Copy();
                }
                await service.CallAsync(context, "Update" + kind, input).ConfigureAwait(false);
                if (kind == "Stage")
                {
                    if (before.Has("AccessLogSettings") && !after.Has("AccessLogSettings"))
                    {
                        await service.CallAsync(context, "DeleteAccessLogSettings", Id(id)).ConfigureAwait(false);
                    }
                    await service.RetagAsync(context, before, after, Arn(context, $"apis/{id.Split('|')[0]}/stages/{id.Split('|')[1]}"), "ResourceArn", "Tags", "TagKeys").ConfigureAwait(false);
                }
            },
            Delete = (context, id, _) => service.CallAsync(context, "Delete" + kind, Id(id)),
            Read = async (context, id) => Properties(service, kind, await service.CallAsync(context, "Get" + kind, Id(id)).ConfigureAwait(false), "IntegrationId", "RouteId", "CreatedDate", "LastUpdatedDate", "ApiGatewayManaged", "LastDeploymentStatusMessage").With("ApiId", id.Split('|')[0]),
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes((idMember, id.Split('|')[1]))),
        };
    }
}
