using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services.S3;

/// <summary>Bucket properties between the forms of CloudFormation and of S3's API, which grew apart.</summary>
internal static class BucketShapes
{
    public static JsonNode Same(JsonNode node) => node.DeepClone();

    public static JsonNode? Same(JsonObject node) => node.DeepClone();

    public static JsonNode PublicAccess(JsonNode node)
    {
        var result = new JsonObject();
        foreach (var name in new[] { "BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets" })
        {
            result[name] = node[name]?.DeepClone() ?? false;
        }
        return result;
    }

    public static JsonNode EncryptionToApi(JsonNode node) => new JsonObject
    {
        ["Rules"] = Each(node["ServerSideEncryptionConfiguration"], rule => Renamed(rule, ("ServerSideEncryptionByDefault", "ApplyServerSideEncryptionByDefault"))),
    };

    public static JsonNode? EncryptionFromApi(JsonObject node) => new JsonObject
    {
        ["ServerSideEncryptionConfiguration"] = Each(node["Rules"], rule => Renamed(rule, ("ApplyServerSideEncryptionByDefault", "ServerSideEncryptionByDefault"))),
    };

    public static JsonNode CorsToApi(JsonNode node) => new JsonObject
    {
        ["CORSRules"] = Each(node["CorsRules"], rule => Renamed(rule, ("ExposedHeaders", "ExposeHeaders"), ("Id", "ID"), ("MaxAge", "MaxAgeSeconds"))),
    };

    public static JsonNode? CorsFromApi(JsonObject node) => new JsonObject
    {
        ["CorsRules"] = Each(node["CORSRules"], rule => Renamed(rule, ("ExposeHeaders", "ExposedHeaders"), ("ID", "Id"), ("MaxAgeSeconds", "MaxAge"))),
    };

    public static JsonNode LoggingToApi(JsonNode node) => new JsonObject
    {
        ["LoggingEnabled"] = new JsonObject
        {
            ["TargetBucket"] = node["DestinationBucketName"]?.DeepClone(),
            ["TargetPrefix"] = node["LogFilePrefix"]?.DeepClone() ?? "",
        },
    };

    public static JsonNode? LoggingFromApi(JsonObject node) => node["LoggingEnabled"] is JsonObject enabled
        ? new JsonObject { ["DestinationBucketName"] = enabled["TargetBucket"]?.DeepClone(), ["LogFilePrefix"] = enabled["TargetPrefix"]?.DeepClone() }
        : null;

    public static JsonNode AccelerateToApi(JsonNode node) => new JsonObject { ["Status"] = node["AccelerationStatus"]?.DeepClone() };

    public static JsonNode? AccelerateFromApi(JsonObject node) => new JsonObject { ["AccelerationStatus"] = node["Status"]?.DeepClone() };

    /// <summary>Request metrics: CloudFormation has the parts of the filter beside the id, the API below it, under And when there are several.</summary>
    public static JsonNode MetricsToApi(JsonObject node)
    {
        var result = new JsonObject { ["Id"] = node["Id"]?.DeepClone() };
        var tags = node["TagFilters"] as JsonArray ?? [];
        var (prefix, accessPoint) = (node["Prefix"], node["AccessPointArn"]);
        var parts = tags.Count + (prefix is null ? 0 : 1) + (accessPoint is null ? 0 : 1);
        if (parts == 1)
        {
            result["Filter"] = tags.Count == 1 ? new JsonObject { ["Tag"] = tags[0]!.DeepClone() }
                : prefix is not null ? new JsonObject { ["Prefix"] = prefix.DeepClone() } : new JsonObject { ["AccessPointArn"] = accessPoint!.DeepClone() };
        }
        else if (parts > 1)
        {
            result["Filter"] = new JsonObject { ["And"] = new JsonObject { ["Prefix"] = prefix?.DeepClone(), ["Tags"] = tags.DeepClone(), ["AccessPointArn"] = accessPoint?.DeepClone() } };
        }
        return result;
    }

    public static JsonNode MetricsFromApi(JsonObject node)
    {
        var result = new JsonObject { ["Id"] = node["Id"]?.DeepClone() };
        var filter = node["Filter"] as JsonObject;
        var all = filter?["And"] as JsonObject ?? filter;
        foreach (var name in (string[])["Prefix", "AccessPointArn"])
        {
            if (all?[name] is { } part)
            {
                result[name] = part.DeepClone();
            }
        }
        if ((all?["Tags"] ?? (all?["Tag"] is { } tag ? new JsonArray(tag.DeepClone()) : null)) is JsonArray { Count: > 0 } tags)
        {
            result["TagFilters"] = tags.DeepClone();
        }
        return result;
    }

    public static JsonNode WebsiteToApi(JsonNode node)
    {
        var result = (JsonObject)node.DeepClone();
        if (result["IndexDocument"] is { } index)
        {
            result["IndexDocument"] = new JsonObject { ["Suffix"] = index.DeepClone() };
        }
        if (result["ErrorDocument"] is { } error)
        {
            result["ErrorDocument"] = new JsonObject { ["Key"] = error.DeepClone() };
        }
        return result;
    }

    public static JsonNode? WebsiteFromApi(JsonObject node)
    {
        var result = (JsonObject)node.DeepClone();
        if (result["IndexDocument"]?["Suffix"] is { } index)
        {
            result["IndexDocument"] = index.DeepClone();
        }
        if (result["ErrorDocument"]?["Key"] is { } error)
        {
            result["ErrorDocument"] = error.DeepClone();
        }
        return result;
    }

    public static JsonNode NotificationToApi(JsonNode node)
    {
        var result = new JsonObject();
        foreach (var (from, to, target, api) in Notifications)
        {
            if (node[from] is JsonArray list)
            {
                result[to] = Each(list, item => new JsonObject
                {
                    [api] = item[target]?.DeepClone(),
                    ["Events"] = new JsonArray(item["Event"]?.DeepClone()),
                    ["Filter"] = item["Filter"]?["S3Key"]?["Rules"] is { } rules ? new JsonObject { ["Key"] = new JsonObject { ["FilterRules"] = rules.DeepClone() } } : null,
                });
            }
        }
        if (node["EventBridgeConfiguration"] is not null)
        {
            result["EventBridgeConfiguration"] = new JsonObject();
        }
        return result;
    }

    public static JsonNode? NotificationFromApi(JsonObject node)
    {
        var result = new JsonObject();
        foreach (var (from, to, target, api) in Notifications)
        {
            if (node[to] is JsonArray list)
            {
                var items = list.OfType<JsonObject>().SelectMany(item => (item["Events"] as JsonArray ?? []).Select(name =>
                {
                    var entry = new JsonObject { ["Event"] = name?.DeepClone(), [target] = item[api]?.DeepClone() };
                    if (item["Filter"]?["Key"]?["FilterRules"] is { } rules)
                    {
                        entry["Filter"] = new JsonObject { ["S3Key"] = new JsonObject { ["Rules"] = rules.DeepClone() } };
                    }
                    return (JsonNode?)entry;
                }));
                result[from] = new JsonArray(items.ToArray());
            }
        }
        if (node["EventBridgeConfiguration"] is not null)
        {
            result["EventBridgeConfiguration"] = new JsonObject { ["EventBridgeEnabled"] = true };
        }
        return result.Count == 0 ? null : result;
    }

    private static readonly (string From, string To, string Target, string Api)[] Notifications =
    [
        ("LambdaConfigurations", "LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
        ("QueueConfigurations", "QueueConfigurations", "Queue", "QueueArn"),
        ("TopicConfigurations", "TopicConfigurations", "Topic", "TopicArn"),
    ];

    public static JsonNode ReplicationToApi(JsonNode node) => new JsonObject
    {
        ["Role"] = node["Role"]?.DeepClone(),
        ["Rules"] = Each(node["Rules"], rule =>
        {
            var result = Renamed(rule, ("Id", "ID"));
            Filter(result["Filter"], toApi: true);
            return result;
        }),
    };

    public static JsonNode? ReplicationFromApi(JsonObject node) => new JsonObject
    {
        ["Role"] = node["Role"]?.DeepClone(),
        ["Rules"] = Each(node["Rules"], rule =>
        {
            var result = Renamed(rule, ("ID", "Id"));
            Filter(result["Filter"], toApi: false);
            return result;
        }),
    };

    private static void Filter(JsonNode? filter, bool toApi)
    {
        if (filter is not JsonObject map)
        {
            return;
        }
        var (from, to) = toApi ? ("TagFilter", "Tag") : ("Tag", "TagFilter");
        if (map.Remove(from, out var tag))
        {
            map[to] = tag;
        }
        if (map["And"] is JsonObject and && and.Remove(from + "s", out var tags))
        {
            and[to + "s"] = tags;
        }
    }

    public static JsonNode LifecycleToApi(JsonNode node) => new JsonObject { ["Rules"] = Each(node["Rules"], RuleToApi) };

    public static JsonNode? LifecycleFromApi(JsonObject node) => new JsonObject { ["Rules"] = Each(node["Rules"], RuleFromApi) };

    private static JsonObject RuleToApi(JsonObject rule)
    {
        var api = new JsonObject { ["ID"] = rule["Id"]?.DeepClone(), ["Status"] = rule["Status"]?.DeepClone() };
        var conditions = new JsonObject();
        Copy(rule, "Prefix", conditions, "Prefix");
        Copy(rule, "ObjectSizeGreaterThan", conditions, "ObjectSizeGreaterThan");
        Copy(rule, "ObjectSizeLessThan", conditions, "ObjectSizeLessThan");
        var tags = rule["TagFilters"] as JsonArray;
        if (tags is { Count: 1 } && conditions.Count == 0)
        {
            api["Filter"] = new JsonObject { ["Tag"] = tags[0]!.DeepClone() };
        }
        else if (tags is { Count: > 0 } || conditions.Count > 1)
        {
            if (tags is not null)
            {
                conditions["Tags"] = tags.DeepClone();
            }
            api["Filter"] = new JsonObject { ["And"] = conditions };
        }
        else
        {
            api["Filter"] = conditions.Count == 0 ? new JsonObject { ["Prefix"] = "" } : conditions;
        }
        var expiration = new JsonObject();
        Copy(rule, "ExpirationInDays", expiration, "Days");
        Copy(rule, "ExpirationDate", expiration, "Date");
        Copy(rule, "ExpiredObjectDeleteMarker", expiration, "ExpiredObjectDeleteMarker");
        if (expiration.Count > 0)
        {
            api["Expiration"] = expiration;
        }
        var transitions = rule["Transitions"] as JsonArray ?? (rule["Transition"] is { } single ? new JsonArray(single.DeepClone()) : null);
        if (transitions is not null)
        {
            api["Transitions"] = Each(transitions, item => Renamed(item, ("TransitionInDays", "Days"), ("TransitionDate", "Date")));
        }
        var noncurrent = rule["NoncurrentVersionTransitions"] as JsonArray ?? (rule["NoncurrentVersionTransition"] is { } one ? new JsonArray(one.DeepClone()) : null);
        if (noncurrent is not null)
        {
            api["NoncurrentVersionTransitions"] = Each(noncurrent, item => Renamed(item, ("TransitionInDays", "NoncurrentDays")));
        }
        if (rule["NoncurrentVersionExpiration"] is { } versions)
        {
            api["NoncurrentVersionExpiration"] = versions.DeepClone();
        }
        else if (rule["NoncurrentVersionExpirationInDays"] is { } days)
        {
            api["NoncurrentVersionExpiration"] = new JsonObject { ["NoncurrentDays"] = days.DeepClone() };
        }
        Copy(rule, "AbortIncompleteMultipartUpload", api, "AbortIncompleteMultipartUpload");
        return api;
    }

    private static JsonObject RuleFromApi(JsonObject api)
    {
        var rule = new JsonObject { ["Id"] = api["ID"]?.DeepClone(), ["Status"] = api["Status"]?.DeepClone() };
        var filter = api["Filter"] as JsonObject;
        var conditions = filter?["And"] as JsonObject ?? filter ?? [];
        if ((string?)conditions["Prefix"] is { Length: > 0 } prefix)
        {
            rule["Prefix"] = prefix;
        }
        Copy(conditions, "ObjectSizeGreaterThan", rule, "ObjectSizeGreaterThan");
        Copy(conditions, "ObjectSizeLessThan", rule, "ObjectSizeLessThan");
        if (conditions["Tags"] is { } tags)
        {
            rule["TagFilters"] = tags.DeepClone();
        }
        else if (conditions["Tag"] is { } tag)
        {
            rule["TagFilters"] = new JsonArray(tag.DeepClone());
        }
        if (api["Expiration"] is JsonObject expiration)
        {
            Copy(expiration, "Days", rule, "ExpirationInDays");
            Copy(expiration, "Date", rule, "ExpirationDate");
            Copy(expiration, "ExpiredObjectDeleteMarker", rule, "ExpiredObjectDeleteMarker");
        }
        if (api["Transitions"] is JsonArray transitions)
        {
            rule["Transitions"] = Each(transitions, item => Renamed(item, ("Days", "TransitionInDays"), ("Date", "TransitionDate")));
        }
        if (api["NoncurrentVersionTransitions"] is JsonArray noncurrent)
        {
            rule["NoncurrentVersionTransitions"] = Each(noncurrent, item => Renamed(item, ("NoncurrentDays", "TransitionInDays")));
        }
        Copy(api, "NoncurrentVersionExpiration", rule, "NoncurrentVersionExpiration");
        Copy(api, "AbortIncompleteMultipartUpload", rule, "AbortIncompleteMultipartUpload");
        return rule;
    }

    private static JsonArray Each(JsonNode? list, Func<JsonObject, JsonObject> convert) =>
        new((list as JsonArray ?? []).OfType<JsonObject>().Select(item => (JsonNode?)convert(item)).ToArray());

    private static JsonObject Renamed(JsonObject source, params (string From, string To)[] names)
    {
        var result = new JsonObject();
        foreach (var (name, value) in source)
        {
            var renamed = System.Array.Find(names, pair => pair.From == name).To ?? name;
            result[renamed] = value?.DeepClone();
        }
        return result;
    }

    private static void Copy(JsonObject source, string from, JsonObject target, string to)
    {
        if (source[from] is { } value)
        {
            target[to] = value.DeepClone();
        }
    }
}
