using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Lambda;

/// <summary>The policy of a function, of each of its versions and aliases, and the URLs by which it can be called.</summary>
internal sealed partial class LambdaService
{
    private const int MaximumPolicy = 20_480;

    private void AddPermissions()
    {
        On("AddPermission", AddPermission);
        On("RemovePermission", (context, input) =>
        {
            var (name, key, policy) = Policy(context, input);
            CheckRevision(input, new JsonObject { ["RevisionId"] = policy?.Text("_Revision") });
            if (policy is null || !policy.Objects("Statement").Any(item => item.Text("Sid") == input.Text("StatementId")))
            {
                throw NotFound($"Statement {input.Text("StatementId")} is not found in resource policy.");
            }
            Functions(context).Update(name, document =>
            {
                var kept = document.Child("_Policies")!.Child(key)!.Objects("Statement").Where(item => item.Text("Sid") != input.Text("StatementId")).ToJsonList();
                if (kept.Count == 0)
                {
                    document.Child("_Policies")!.Remove(key);
                }
                else
                {
                    document.Child("_Policies")!.Child(key)!["Statement"] = kept;
                    document.Child("_Policies")!.Child(key)!["_Revision"] = Runtime.Ids.Uuid();
                }
            });
            return [];
        });
        On("GetPolicy", (context, input) =>
        {
            var (_, _, policy) = Policy(context, input);
            return policy is null ? throw NotFound("The resource you requested does not exist.") : new JsonObject { ["Policy"] = PolicyText(policy), ["RevisionId"] = policy.Text("_Revision") };
        });
    }

    private static string PolicyText(JsonObject policy) => policy.Pick("Version", "Id", "Statement").ToJsonString();

    private (string Name, string Key, JsonObject? Policy) Policy(RequestContext context, JsonObject input)
    {
        var (name, qualifier) = Named(input);
        _ = Resolve(context, name, qualifier);
        var key = qualifier ?? "";
        return (name, key, Function(context, name).Child("_Policies")?.Child(key));
    }

    private JsonObject AddPermission(RequestContext context, JsonObject input)
    {
        var (name, key, policy) = Policy(context, input);
        if (key == Latest)
        {
            throw Invalid("We currently do not support adding policies for $LATEST.");
        }
        CheckRevision(input, new JsonObject { ["RevisionId"] = policy?.Text("_Revision") });
        var id = input.Required("StatementId");
        if (policy?.Objects("Statement").Any(item => item.Text("Sid") == id) == true)
        {
            throw Conflict($"The statement id ({id}) provided already exists. Please provide a new statement id, or remove the existing statement.");
        }
        var principal = input.Required("Principal");
        var conditions = new JsonObject();
        if (input.Text("SourceArn") is { } source)
        {
            conditions["ArnLike"] = new JsonObject { ["AWS:SourceArn"] = source };
        }
        var equals = new JsonObject().With("AWS:SourceAccount", input.Text("SourceAccount")).With("aws:PrincipalOrgID", input.Text("PrincipalOrgID"))
            .With("lambda:FunctionUrlAuthType", input.Text("FunctionUrlAuthType")).With("lambda:EventSourceToken", input.Text("EventSourceToken"));
        if (equals.Count > 0)
        {
            conditions["StringEquals"] = equals;
        }
        if (input.Has("InvokedViaFunctionUrl"))
        {
            conditions["Bool"] = new JsonObject { ["lambda:InvokedViaFunctionUrl"] = input.Text("InvokedViaFunctionUrl") };
        }
        var statement = new JsonObject
        {
            ["Sid"] = id,
            ["Effect"] = "Allow",
            ["Principal"] = principal == "*" ? "*"
                : principal.Contains('.', StringComparison.Ordinal) && !principal.StartsWith("arn:", StringComparison.Ordinal) ? new JsonObject { ["Service"] = principal }
                : new JsonObject { ["AWS"] = principal.All(char.IsAsciiDigit) ? $"arn:{context.Partition}:iam::{principal}:root" : principal },
            ["Action"] = input.Text("Action"),
            ["Resource"] = ArnOf(context, name, key.Length > 0 ? key : null),
        };
        if (conditions.Count > 0)
        {
            statement["Condition"] = conditions;
        }
        var next = policy ?? new JsonObject { ["Version"] = "2012-10-17", ["Id"] = "default", ["Statement"] = new JsonArray() };
        next.ListOrNew("Statement").Add((JsonNode)statement);
        next["_Revision"] = Runtime.Ids.Uuid();
        if (PolicyText(next).Length > MaximumPolicy)
        {
            throw Fault("PolicyLengthExceededException", $"The final policy size ({PolicyText(next).Length}) is bigger than the limit ({MaximumPolicy}).", 400);
        }
        Functions(context).Update(name, document => document.ChildOrNew("_Policies")[key] = next.Copy());
        return new JsonObject { ["Statement"] = statement.ToJsonString() };
    }

    /// <summary>Whether a service may invoke a function, by the function's own policy.</summary>
    public bool Permits(RequestContext context, string arn, string service, string? sourceArn)
    {
        var parts = arn.Split(':');
        var owner = context.With(parts[4], parts[3]);
        var policy = Functions(owner).Get(parts[6])?.Child("_Policies")?.Child(parts.Length > 7 ? parts[7] : "");
        var keys = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal) { ["aws:sourceaccount"] = [context.AccountId] };
        if (sourceArn is not null)
        {
            keys["aws:sourcearn"] = [sourceArn];
        }
        return policy is not null && PolicyEvaluator.Evaluate(PolicyText(policy), new AccessRequest("lambda:InvokeFunction", arn) { Principal = service, Keys = keys }, isResourcePolicy: true) == PolicyDecision.Allowed;
    }

    private Collection Urls(RequestContext context) => Collection(context, "urls");

    private void AddUrls()
    {
        JsonObject Url(RequestContext context, JsonObject input)
        {
            var (name, qualifier) = Named(input);
            _ = Resolve(context, name, qualifier);
            return Urls(context).Get(QualifiedKey(input)) ?? throw NotFound("The resource you requested does not exist.");
        }
        On("CreateFunctionUrlConfig", (context, input) =>
        {
            var (name, qualifier) = Named(input);
            if (qualifier is not null && !Aliases(context).Contains($"{name}:{qualifier}"))
            {
                throw Invalid("A function URL can be made for $LATEST, by no qualifier, or for an alias only.");
            }
            var function = Resolve(context, name, qualifier);
            var key = QualifiedKey(input);
            var url = new JsonObject
            {
                ["FunctionUrl"] = $"https://{Runtime.Ids.Lower(32)}.lambda-url.{context.Region}.on.aws/",
                ["FunctionArn"] = ArnOf(context, name, qualifier),
                ["AuthType"] = input.Text("AuthType"),
                ["CreationTime"] = Moment(context.Now),
                ["LastModifiedTime"] = Moment(context.Now),
                ["InvokeMode"] = input.Text("InvokeMode") ?? "BUFFERED",
                ["_Function"] = function.Text("FunctionName"),
            }.Take(input, "Cors");
            return Urls(context).TryAdd(key, url) ? url : throw Conflict($"Failed to create function url config for [functionArn = {ArnOf(context, name, qualifier)}]. Error message:  FunctionUrlConfig exists for this Lambda function");
        });
        On("GetFunctionUrlConfig", Url);
        On("UpdateFunctionUrlConfig", (context, input) =>
        {
            _ = Url(context, input);
            return Urls(context).Update(QualifiedKey(input), document =>
            {
                document.Take(input, "AuthType", "Cors", "InvokeMode");
                document["LastModifiedTime"] = Moment(context.Now);
            })!;
        });
        On("DeleteFunctionUrlConfig", (context, input) =>
        {
            _ = Url(context, input);
            Urls(context).Remove(QualifiedKey(input));
            return [];
        });
        On("ListFunctionUrlConfigs", (context, input) =>
        {
            var name = Function(context, Named(input).Name).Text("FunctionName");
            return Pages.Answer(input, Urls(context).Where(url => url.Text("_Function") == name).ToList(), "FunctionUrlConfigs", "MaxItems", "Marker", 50, "InvalidParameterValueException", "NextMarker");
        });
    }
}
