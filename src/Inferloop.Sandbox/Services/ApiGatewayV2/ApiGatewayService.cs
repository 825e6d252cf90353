using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ApiGatewayV2;

/// <summary>API Gateway's HTTP and WebSocket APIs: stages, routes, integrations, authorizers, deployments. The endpoints themselves do not answer.</summary>
internal sealed class ApiGatewayService : SandboxService
{
    private static readonly string[] Methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"];

    public ApiGatewayService(SandboxRuntime runtime)
        : base(runtime, "apigatewayv2")
    {
        AddApis();
        AddParts("Integration", "IntegrationId", CheckIntegration, (context, part) =>
        {
            if (Parts(context).Where(item => Kind(item) == "Route" && item.Text("_Api") == part.Text("_Api")).Any(route => route.Text("Target") == "integrations/" + part.Text("IntegrationId")))
            {
                throw new ServiceFault("ConflictException", $"Cannot delete Integration '{part.Text("IntegrationId")}' because it is referenced by a Route", 409);
            }
        });
        AddParts("Route", "RouteId", CheckRoute, static (_, _) => { });
        AddParts("Authorizer", "AuthorizerId", static (_, _, _) => { }, static (_, _) => { });
        AddParts("Deployment", "DeploymentId", Deploy, static (_, _) => { });
        AddParts("Stage", "StageName", CheckStage, static (_, _) => { });
        On("DeleteAccessLogSettings", (context, input) => Without(context, input, "AccessLogSettings"));
        On("DeleteRouteSettings", (context, input) =>
        {
            _ = Part(context, input, "Stage", "StageName");
            Parts(context).Update(Key(input.Required("ApiId"), "Stage", input.Required("StageName")), stage => stage.Child("RouteSettings")?.Remove(input.Required("RouteKey")));
            return [];
        });
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
        On("GetTags", (context, input) => new JsonObject { ["Tags"] = Tagged(context, input).Document["Tags"].Copy() ?? new JsonObject() });
    }

    private Collection Apis(RequestContext context) => Collection(context, "apis");

    private Collection Parts(RequestContext context) => Collection(context, "parts");

    private static string Key(string api, string kind, string id) => $"{api}/{kind}/{id}";

    private static string? Kind(JsonObject part) => part.Text("_Kind");

    private static ServiceFault Bad(string message) => new("BadRequestException", message);

    private static ServiceFault NotFound(string message) => new("NotFoundException", message, 404);

    private JsonObject Api(RequestContext context, JsonObject input) => Apis(context).Get(input.Required("ApiId")) ?? throw NotFound($"Invalid API identifier specified {context.AccountId}:{input.Text("ApiId")}");

    private void AddApis()
    {
        On("CreateApi", (context, input) =>
        {
            var http = input.Text("ProtocolType") == "HTTP";
            if (!http && input.Has("CorsConfiguration"))
            {
                throw Bad("CORS configuration is not supported for protocol type WEBSOCKET");
            }
            if (!http && !input.Has("RouteSelectionExpression"))
            {
                throw Bad("A routeSelectionExpression is required for protocol type WEBSOCKET");
            }
            var id = Runtime.Ids.Lower(10);
            var api = new JsonObject
            {
                ["ApiId"] = id,
                ["ApiEndpoint"] = $"{(http ? "https" : "wss")}://{id}.execute-api.{context.Region}.{context.DnsSuffix}",
                ["ApiKeySelectionExpression"] = "$request.header.x-api-key",
                ["RouteSelectionExpression"] = "$request.method $request.path",
                ["CreatedDate"] = Documents.Time(context.Now),
                ["DisableExecuteApiEndpoint"] = false,
                ["IpAddressType"] = "ipv4",
                ["Tags"] = new JsonObject(),
            }.Take(input, "Name", "ProtocolType", "ApiKeySelectionExpression", "CorsConfiguration", "Description", "DisableExecuteApiEndpoint", "DisableSchemaValidation", "IpAddressType", "RouteSelectionExpression", "Tags", "Version");
            Apis(context).Put(id, api);
            if (input.Text("Target") is { } target)
            {
                // Quick create: a catch-all route, a default stage that deploys by itself.
                var integration = Put(context, id, "Integration", Runtime.Ids.Lower(7), new JsonObject { ["IntegrationType"] = target.StartsWith("arn:", StringComparison.Ordinal) ? "AWS_PROXY" : "HTTP_PROXY", ["IntegrationUri"] = target, ["PayloadFormatVersion"] = "2.0", ["ApiGatewayManaged"] = true });
                Put(context, id, "Route", Runtime.Ids.Lower(7), new JsonObject { ["RouteKey"] = input.Text("RouteKey") ?? "$default", ["Target"] = "integrations/" + integration.Text("IntegrationId"), ["ApiGatewayManaged"] = true });
                Put(context, id, "Stage", "$default", new JsonObject { ["AutoDeploy"] = true, ["ApiGatewayManaged"] = true, ["CreatedDate"] = Documents.Time(context.Now) });
            }
            return api;
        });
        On("GetApi", Api);
        On("GetApis", (context, input) => Pages.Answer(input, Apis(context).All().ToList(), "Items", "MaxResults", "NextToken", 100, "BadRequestException"));
        On("UpdateApi", (context, input) =>
        {
            _ = Api(context, input);
            return Apis(context).Update(input.Required("ApiId"), api => api.Take(input, "Name", "ApiKeySelectionExpression", "CorsConfiguration", "Description", "DisableExecuteApiEndpoint", "DisableSchemaValidation", "IpAddressType", "RouteSelectionExpression", "Version"))!;
        });
        On("DeleteApi", (context, input) =>
        {
            var id = Api(context, input).Required("ApiId");
            foreach (var key in Parts(context).Keys().Where(key => key.StartsWith(id + "/", StringComparison.Ordinal)))
            {
                Parts(context).Remove(key);
            }
            Apis(context).Remove(id);
            return [];
        });
        On("DeleteCorsConfiguration", (context, input) =>
        {
            _ = Api(context, input);
            Apis(context).Update(input.Required("ApiId"), api => api.Remove("CorsConfiguration"));
            return [];
        });
    }

    private JsonObject Put(RequestContext context, string api, string kind, string id, JsonObject part)
    {
        part[kind == "Stage" ? "StageName" : kind + "Id"] = id;
        part["_Api"] = api;
        part["_Kind"] = kind;
        Parts(context).Put(Key(api, kind, id), part);
        return part;
    }

    private JsonObject Part(RequestContext context, JsonObject input, string kind, string idMember)
    {
        _ = Api(context, input);
        return Parts(context).Get(Key(input.Required("ApiId"), kind, input.Required(idMember))) ?? throw NotFound($"Unable to find {kind} by {(kind == "Stage" ? "name" : "id")} {input.Text(idMember)} within the provided {input.Text("ApiId")}");
    }

    /// <summary>The five operations of one kind of an API's parts.</summary>
    private void AddParts(string kind, string idMember, Action<RequestContext, JsonObject, JsonObject> check, Action<RequestContext, JsonObject> beforeDelete)
    {
        On("Create" + kind, (context, input) =>
        {
            var api = Api(context, input);
            var part = input.Copy();
            part.Remove("ApiId");
            var id = kind == "Stage" ? input.Required("StageName") : Runtime.Ids.Lower(kind is "Deployment" or "Authorizer" ? 6 : 7);
            if (Parts(context).Contains(Key(api.Required("ApiId"), kind, id)))
            {
                throw new ServiceFault("ConflictException", $"{kind} already exists", 409);
            }
            check(context, api, part);
            var made = Put(context, api.Required("ApiId"), kind, id, part);
            AutoDeploy(context, api.Required("ApiId"), kind);
            return made;
        });
        On("Get" + kind, (context, input) => Part(context, input, kind, idMember));
        On($"Get{kind}s", (context, input) =>
        {
            var api = Api(context, input).Text("ApiId");
            return Pages.Answer(input, Parts(context).Where(part => part.Text("_Api") == api && Kind(part) == kind).ToList(), "Items", "MaxResults", "NextToken", 100, "BadRequestException");
        });
        On("Update" + kind, (context, input) =>
        {
            var part = Part(context, input, kind, idMember);
            foreach (var (key, value) in input)
            {
                if (key != "ApiId")
                {
                    part[key] = value.Copy();
                }
            }
            var changed = part.Copy();
            check(context, Api(context, input), changed);
            Parts(context).Put(Key(input.Required("ApiId"), kind, input.Required(idMember)), changed);
            AutoDeploy(context, input.Required("ApiId"), kind);
            return changed;
        });
        On("Delete" + kind, (context, input) =>
        {
            var part = Part(context, input, kind, idMember);
            beforeDelete(context, part);
            Parts(context).Remove(Key(input.Required("ApiId"), kind, input.Required(idMember)));
            return [];
        });
    }

    private void CheckIntegration(RequestContext context, JsonObject api, JsonObject part)
    {
        var type = part.Text("IntegrationType");
        if (api.Text("ProtocolType") == "HTTP" && type is not ("AWS_PROXY" or "HTTP_PROXY"))
        {
            throw Bad($"Integration type {type} is not supported for protocol type HTTP");
        }
        if (type == "AWS_PROXY" && !part.Has("IntegrationSubtype"))
        {
            if (!part.Has("IntegrationUri"))
            {
                throw Bad("IntegrationUri is required for integration type AWS_PROXY");
            }
            if (api.Text("ProtocolType") == "HTTP" && !part.Has("PayloadFormatVersion"))
            {
                throw Bad("PayloadFormatVersion is a required parameter for integration");
            }
            part["IntegrationMethod"] ??= "POST";
        }
        if (type == "HTTP_PROXY" && !part.Has("IntegrationUri"))
        {
            throw Bad("IntegrationUri is required for integration type HTTP_PROXY");
        }
        if (part.Text("ConnectionType") == "VPC_LINK" && !part.Has("ConnectionId"))
        {
            throw Bad("ConnectionId is required for connection type VPC_LINK");
        }
        part["ConnectionType"] ??= "INTERNET";
        part["TimeoutInMillis"] ??= api.Text("ProtocolType") == "HTTP" ? 30_000 : 29_000;
        _ = context;
    }

    private void CheckRoute(RequestContext context, JsonObject api, JsonObject part)
    {
        var key = part.Required("RouteKey");
        if (api.Text("ProtocolType") == "HTTP" && key != "$default" && (key.Split(' ') is not [var method, ['/', ..]] || !Methods.Contains(method)))
        {
            throw Bad($"The provided route key is not formatted properly for HTTP protocol. Format should be \"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\"");
        }
        var id = api.Required("ApiId");
        if (Parts(context).Any(other => Kind(other) == "Route" && other.Text("_Api") == id && other.Text("RouteKey") == key && other.Text("RouteId") != part.Text("RouteId")))
        {
            throw new ServiceFault("ConflictException", $"Route with key {key} already exists for this API", 409);
        }
        if (part.Text("Target") is { } target && (!target.StartsWith("integrations/", StringComparison.Ordinal) || !Parts(context).Contains(Key(id, "Integration", target["integrations/".Length..]))))
        {
            throw Bad($"Invalid target integration: {target}");
        }
        if (part.Text("AuthorizerId") is { } authorizer && !Parts(context).Contains(Key(id, "Authorizer", authorizer)))
        {
            throw Bad($"Unable to find Authorizer by id {authorizer} within the provided {id}");
        }
        part["AuthorizationType"] ??= "NONE";
        part["ApiKeyRequired"] ??= false;
    }

    private void CheckStage(RequestContext context, JsonObject api, JsonObject part)
    {
        if (part.Is("AutoDeploy") && part.Has("DeploymentId") && !part.Has("CreatedDate"))
        {
            throw Bad("Deployment ID cannot be set on stage because AutoDeploy is enabled");
        }
        if (part.Text("DeploymentId") is { } deployment && !Parts(context).Contains(Key(api.Required("ApiId"), "Deployment", deployment)))
        {
            throw NotFound($"Unable to find Deployment by id {deployment} within the provided {api.Text("ApiId")}");
        }
        if (part.Child("AccessLogSettings")?.Text("DestinationArn") is { } destination)
        {
            var group = destination.Split(':') is [_, _, "logs", _, _, "log-group", var name, ..] ? name : null;
            if (group is null || !Runtime.Service<Logs.LogsService>().EnsureGroup(context, group, create: false))
            {
                throw Bad($"The specified log group does not exist: {destination}");
            }
        }
        part["CreatedDate"] ??= Documents.Time(context.Now);
        part["LastUpdatedDate"] = Documents.Time(context.Now);
        part["Tags"] ??= new JsonObject();
        part["RouteSettings"] ??= new JsonObject();
        part["StageVariables"] ??= new JsonObject();
    }

    private void Deploy(RequestContext context, JsonObject api, JsonObject part)
    {
        if (part.Has("DeploymentStatus"))
        {
            return;
        }
        var id = api.Required("ApiId");
        if (!Parts(context).Any(item => Kind(item) == "Route" && item.Text("_Api") == id))
        {
            throw Bad("At least one route is required before deploying the Api.");
        }
        var stage = part.Text("StageName");
        if (stage is not null)
        {
            var found = Parts(context).Get(Key(id, "Stage", stage)) ?? throw NotFound($"Invalid stage identifier specified: {stage}");
            if (found.Is("AutoDeploy"))
            {
                throw Bad("Deployment cannot be made to a stage with AutoDeploy enabled");
            }
        }
        part.Remove("StageName");
        part["AutoDeployed"] = false;
        part["CreatedDate"] = Documents.Time(context.Now);
        part["DeploymentStatus"] = "DEPLOYED";
    }

    /// <summary>Stages that deploy by themselves follow every change.</summary>
    private void AutoDeploy(RequestContext context, string api, string kind)
    {
        if (kind == "Deployment")
        {
            return;
        }
        foreach (var stage in Parts(context).Where(part => Kind(part) == "Stage" && part.Text("_Api") == api && part.Is("AutoDeploy")))
        {
            var id = Runtime.Ids.Lower(6);
            Put(context, api, "Deployment", id, new JsonObject { ["AutoDeployed"] = true, ["CreatedDate"] = Documents.Time(context.Now), ["DeploymentStatus"] = "DEPLOYED", ["Description"] = "Automatic deployment triggered by changes to the Api configuration" });
            Parts(context).Update(Key(api, "Stage", stage.Required("StageName")), document =>
            {
                document["DeploymentId"] = id;
                document["LastDeploymentStatusMessage"] = $"Successfully deployed stage with deployment ID '{id}'";
            });
        }
    }

    private JsonObject Without(RequestContext context, JsonObject input, string member)
    {
        _ = Part(context, input, "Stage", "StageName");
        Parts(context).Update(Key(input.Required("ApiId"), "Stage", input.Required("StageName")), stage => stage.Remove(member));
        return [];
    }

    // arn:aws:apigateway:<region>::/apis/<id>[/stages/<name>]
    private (Collection Kind, string Key, JsonObject Document) Tagged(RequestContext context, JsonObject input)
    {
        var arn = Uri.UnescapeDataString(input.Required("ResourceArn"));
        var parts = arn.Split('/');
        var (kind, key) = parts switch { [_, "apis", var id] => (Apis(context), id), [_, "apis", var id, "stages", var stage] => (Parts(context), Key(id, "Stage", stage)), _ => (Apis(context), "") };
        return kind.Get(key) is { } found ? (kind, key, found) : throw NotFound($"Invalid resource ARN: {arn}");
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        var (kind, key, _) = Tagged(context, input);
        kind.Update(key, document => change(document.ChildOrNew("Tags")));
        return [];
    }
}
