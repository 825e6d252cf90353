using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CloudTrail;

/// <summary>A call as CloudTrail records it.</summary>
internal sealed class TrailEvent
{
    private const int LongestValue = 4096;

    public required string Id { get; init; }

    public required DateTimeOffset Time { get; init; }

    public required string Name { get; init; }

    public required string Source { get; init; }

    public required string User { get; init; }

    public required string AccessKeyId { get; init; }

    public required bool ReadOnly { get; init; }

    public required bool IsData { get; init; }

    public required IReadOnlyList<(string Type, string Name)> Resources { get; init; }

    /// <summary>The event in full, as it stands in the log files.</summary>
    public required string Json { get; init; }

    public static TrailEvent Of(ApiCall call, string region, bool read, bool data)
    {
        var context = call.Context;
        var id = context.Runtime.Ids.Uuid();
        var model = call.Service.Model;
        var operation = model.Operation(call.Operation);
        var source = (call.Service.ModelName switch
        {
            "cloudwatch" => "monitoring",
            "elbv2" => "elasticloadbalancing",
            "service-quotas" => "servicequotas",
            _ => model.EndpointPrefix.StartsWith("api.", StringComparison.Ordinal) ? call.Service.ModelName : model.EndpointPrefix,
        }) + ".amazonaws.com";
        var assumed = context.PrincipalArn.Contains(":assumed-role/", StringComparison.Ordinal);
        var user = context.PrincipalArn.Split('/')[^1];
        var document = new JsonObject
        {
            ["eventVersion"] = "1.11",
            ["userIdentity"] = new JsonObject
            {
                ["type"] = assumed ? "AssumedRole" : context.PrincipalArn.EndsWith(":root", StringComparison.Ordinal) ? "Root" : "IAMUser",
                ["principalId"] = context.Runtime.AccessKeys.Find(context.AccessKeyId)?.UserId,
                ["arn"] = context.PrincipalArn,
                ["accountId"] = context.AccountId,
                ["accessKeyId"] = context.AccessKeyId,
            }.With("userName", assumed ? null : user),
            ["eventTime"] = context.Now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            ["eventSource"] = source,
            ["eventName"] = call.Operation,
            ["awsRegion"] = region,
            ["sourceIPAddress"] = "127.0.0.1",
            ["userAgent"] = context.Request?.Header("user-agent"),
            ["requestParameters"] = operation?.Input is { } input ? Shown(input, call.Input) : null,
            // What a read answers is not recorded.
            ["responseElements"] = read || call.Output is null || operation?.Output is not { } output ? null : Shown(output, call.Output),
            ["requestID"] = context.RequestId,
            ["eventID"] = id,
            ["readOnly"] = read,
            ["eventType"] = "AwsApiCall",
            ["managementEvent"] = !data,
            ["recipientAccountId"] = context.AccountId,
            ["eventCategory"] = data ? "Data" : "Management",
        }.With("errorCode", call.Fault?.Code).With("errorMessage", call.Fault?.Message);
        return new TrailEvent
        {
            Id = id,
            Time = context.Now,
            Name = call.Operation,
            Source = source,
            User = user,
            AccessKeyId = context.AccessKeyId,
            ReadOnly = read,
            IsData = data,
            Resources = ResourcesOf(call),
            Json = document.ToJsonString(),
        };
    }

    public bool Has(string attribute, string value) => attribute switch
    {
        "EventId" => Id == value,
        "EventName" => Name == value,
        "EventSource" => Source == value,
        "Username" => User == value,
        nameof(AccessKeyId) => AccessKeyId == value,
        nameof(ReadOnly) => ReadOnly == (value == "true"),
        "ResourceName" => Resources.Any(resource => resource.Name == value),
        "ResourceType" => Resources.Any(resource => resource.Type == value),
        _ => false,
    };

    public JsonObject Describe() => new()
    {
        ["EventId"] = Id,
        ["EventName"] = Name,
        [nameof(ReadOnly)] = ReadOnly ? "true" : "false",
        [nameof(AccessKeyId)] = AccessKeyId,
        ["EventTime"] = Documents.Time(Time),
        ["EventSource"] = Source,
        ["Username"] = User,
        [nameof(Resources)] = Resources.Select(resource => new JsonObject { ["ResourceType"] = resource.Type, ["ResourceName"] = resource.Name }).ToJsonList(),
        ["CloudTrailEvent"] = Json,
    };

    /// <summary>The names by which calls name what they are about.</summary>
    private static readonly Dictionary<string, string> ResourceMembers = new(StringComparer.Ordinal)
    {
        ["Bucket"] = "AWS::S3::Bucket",
        ["StackName"] = "AWS::CloudFormation::Stack",
        ["RoleName"] = "AWS::IAM::Role",
        ["PolicyArn"] = "AWS::IAM::Policy",
        ["TableName"] = "AWS::DynamoDB::Table",
        ["FunctionName"] = "AWS::Lambda::Function",
        ["DBInstanceIdentifier"] = "AWS::RDS::DBInstance",
        ["KeyId"] = "AWS::KMS::Key",
        ["SecretId"] = "AWS::SecretsManager::Secret",
        ["TopicArn"] = "AWS::SNS::Topic",
        ["QueueUrl"] = "AWS::SQS::Queue",
        ["AlarmName"] = "AWS::CloudWatch::Alarm",
        ["logGroupName"] = "AWS::Logs::LogGroup",
        ["VpcId"] = "AWS::EC2::VPC",
        ["SubnetId"] = "AWS::EC2::Subnet",
        ["GroupId"] = "AWS::EC2::SecurityGroup",
        ["InstanceId"] = "AWS::EC2::Instance",
        ["LoadBalancerArn"] = "AWS::ElasticLoadBalancingV2::LoadBalancer",
        ["TargetGroupArn"] = "AWS::ElasticLoadBalancingV2::TargetGroup",
        ["cluster"] = "AWS::ECS::Cluster",
        ["service"] = "AWS::ECS::Service",
        ["repositoryName"] = "AWS::ECR::Repository",
    };

    private static List<(string, string)> ResourcesOf(ApiCall call) => call.Input
        .Where(pair => ResourceMembers.ContainsKey(pair.Key) && Documents.AsText(pair.Value) is { Length: > 0 })
        .Select(pair => (ResourceMembers[pair.Key], Documents.AsText(pair.Value)!)).ToList();

    /// <summary>Parameters as CloudTrail shows them: members beginning small, secrets hidden, nothing of great length.</summary>
    private static JsonNode? Shown(Shape shape, JsonNode? value)
    {
        if (shape.IsSensitive && value is not null)
        {
            return JsonValue.Create("HIDDEN_DUE_TO_SECURITY_REASONS");
        }
        switch (value)
        {
            case JsonObject document when shape.Type == ShapeType.Structure:
                var shown = new JsonObject();
                foreach (var (name, item) in document)
                {
                    if (shape.Member(name) is { IsStreaming: false } member && item is not null)
                    {
                        shown[char.ToLowerInvariant(name[0]) + name[1..]] = Shown(member.Shape, item);
                    }
                }
                return shown;
            case JsonArray list when shape.Type == ShapeType.List:
                return new JsonArray(list.Select(item => Shown(shape.Item!.Shape, item)).ToArray());
            case JsonObject map when shape.Type == ShapeType.Map:
                return new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key, Shown(shape.Value!.Shape, pair.Value))));
            case JsonValue text when Documents.AsText(text) is { Length: > LongestValue } longer:
                return JsonValue.Create(longer[..LongestValue] + "...");
            default:
                return value.Copy();
        }
    }
}
