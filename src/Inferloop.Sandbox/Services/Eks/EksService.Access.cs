using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Eks;

/// <summary>Access entries: which principals may do what in a cluster.</summary>
internal sealed partial class EksService
{
    private static readonly string[] AccessPolicies =
    [
        "AmazonEKSAdminPolicy", "AmazonEKSAdminViewPolicy", "AmazonEKSAutoNodePolicy", "AmazonEKSBlockStorageClusterPolicy", "AmazonEKSBlockStoragePolicy", "AmazonEKSClusterAdminPolicy", "AmazonEKSClusterInsightsPolicy", "AmazonEKSComputeClusterPolicy",
        "AmazonEKSComputePolicy", "AmazonEKSEditPolicy", "AmazonEKSEventPolicy", "AmazonEKSHybridPolicy", "AmazonEKSLoadBalancingClusterPolicy", "AmazonEKSLoadBalancingPolicy", "AmazonEKSNetworkingClusterPolicy", "AmazonEKSNetworkingPolicy", "AmazonEKSViewPolicy",
    ];

    private static readonly Dictionary<string, (string User, string[] Groups)> NodeEntries = new(StringComparer.Ordinal)
    {
        ["EC2_LINUX"] = ("system:node:{{EC2PrivateDNSName}}", ["system:nodes"]),
        ["EC2_WINDOWS"] = ("system:node:{{EC2PrivateDNSName}}", ["system:nodes", "eks:kube-proxy-windows"]),
        ["FARGATE_LINUX"] = ("system:node:{{SessionName}}", ["system:nodes", "system:bootstrappers", "system:node-proxier"]),
        ["EC2"] = ("system:node:{{EC2PrivateDNSName}}", []),
        ["HYBRID_LINUX"] = ("system:node:{{SessionName}}", ["system:nodes"]),
        ["HYPERPOD_LINUX"] = ("system:node:{{SessionName}}", ["system:nodes"]),
    };

    private void AddAccess()
    {
        On("CreateAccessEntry", CreateAccessEntry);
        On("DescribeAccessEntry", (context, input) => new JsonObject { ["accessEntry"] = Entry(context, input) });
        On("UpdateAccessEntry", (context, input) =>
        {
            var entry = Entry(context, input);
            if (entry.Text("type") != "STANDARD")
            {
                throw Request("Only access entries of type STANDARD can be updated.", input.Text("clusterName"));
            }
            CheckGroups(input);
            return new JsonObject
            {
                ["accessEntry"] = Entries(context).Update(EntryKey(input), document =>
                {
                    document.Take(input, "kubernetesGroups", "username");
                    document["modifiedAt"] = Documents.Time(context.Now);
                }),
            };
        });
        On("DeleteAccessEntry", (context, input) =>
        {
            _ = Entry(context, input);
            Entries(context).Remove(EntryKey(input));
            return [];
        });
        On("ListAccessEntries", (context, input) =>
        {
            RequireEntries(context, input);
            return ListedNames(input, Entries(context).Where(entry => entry.Text("clusterName") == input.Text("clusterName")
                && (input.Text("associatedPolicyArn") is not { } policy || entry.Objects("_Policies").Any(item => item.Text("policyArn") == policy))).Select(entry => entry.Required("principalArn")), "accessEntries");
        });
        On("ListAccessPolicies", (context, input) => Pages.Answer(input, AccessPolicies.Select(name => new JsonObject { ["name"] = name, ["arn"] = PolicyArn(context, name) }).ToList(), "accessPolicies", "maxResults", "nextToken", 100, "InvalidParameterException"));
        On("AssociateAccessPolicy", (context, input) =>
        {
            var entry = Entry(context, input);
            if (entry.Text("type") != "STANDARD")
            {
                throw Request("The access entry type does not support access policies.", input.Text("clusterName"));
            }
            var associated = Association(context, input.Required("policyArn"), input.Child("accessScope")!);
            Entries(context).Update(EntryKey(input), document =>
            {
                var rest = document.Objects("_Policies").Where(item => item.Text("policyArn") != associated.Text("policyArn")).ToList();
                document["_Policies"] = rest.Append(associated).ToJsonList();
            });
            return new JsonObject { ["clusterName"] = input.Text("clusterName"), ["principalArn"] = input.Text("principalArn"), ["associatedAccessPolicy"] = associated.Copy() };
        });
        On("DisassociateAccessPolicy", (context, input) =>
        {
            var entry = Entry(context, input);
            if (!entry.Objects("_Policies").Any(item => item.Text("policyArn") == input.Text("policyArn")))
            {
                throw NotFound($"No associated policy found: {input.Text("policyArn")}", input.Text("clusterName"));
            }
            Entries(context).Update(EntryKey(input), document => document["_Policies"] = document.Objects("_Policies").Where(item => item.Text("policyArn") != input.Text("policyArn")).ToJsonList());
            return [];
        });
        On("ListAssociatedAccessPolicies", (context, input) =>
        {
            var answer = Pages.Answer(input, Entry(context, input).Objects("_Policies").ToList(), "associatedAccessPolicies", "maxResults", "nextToken", 100, "InvalidParameterException");
            return answer.Take(input, "clusterName", "principalArn");
        });
    }

    private static string EntryKey(JsonObject input) => $"{input.Text("clusterName")}|{input.Text("principalArn")}";

    private static string PolicyArn(RequestContext context, string name) => $"arn:{context.Partition}:eks::aws:cluster-access-policy/{name}";

    private void RequireEntries(RequestContext context, JsonObject input)
    {
        var cluster = Cluster(context, input.Required("clusterName"));
        if (cluster.Child("accessConfig")!.Text("authenticationMode") == "CONFIG_MAP")
        {
            throw Request("The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.", cluster.Text("name"));
        }
    }

    private JsonObject Entry(RequestContext context, JsonObject input)
    {
        RequireEntries(context, input);
        return Entries(context).Get(EntryKey(input)) ?? throw NotFound($"The specified principalArn could not be found. You can view your available access entries with 'list-access-entries'.", input.Text("clusterName"));
    }

    private static void CheckGroups(JsonObject input)
    {
        if (input.Texts("kubernetesGroups").FirstOrDefault(group => group.StartsWith("system:", StringComparison.Ordinal) || group.StartsWith("eks:", StringComparison.Ordinal)) is { } reserved)
        {
            throw Invalid($"The kubernetes group name {reserved} is invalid, it cannot start with system:, eks:, aws:, amazon: or iam:", input.Text("clusterName"));
        }
    }

    private static JsonObject Association(RequestContext context, string policy, JsonObject scope)
    {
        if (!AccessPolicies.Any(name => PolicyArn(context, name) == policy))
        {
            throw NotFound($"The policyArn {policy} could not be found. View available policies with 'list-access-policies'.");
        }
        if (scope.Text("type") == "namespace" && scope.Texts("namespaces").Count == 0)
        {
            throw Invalid("The access scope of type namespace must have at least one namespace.");
        }
        if (scope.Text("type") == "cluster" && scope.Texts("namespaces").Count > 0)
        {
            throw Invalid("The access scope of type cluster must not have namespaces.");
        }
        return new JsonObject
        {
            ["policyArn"] = policy,
            ["accessScope"] = new JsonObject { ["type"] = scope.Text("type"), ["namespaces"] = scope["namespaces"].Copy() ?? new JsonArray() },
            ["associatedAt"] = Documents.Time(context.Now),
            ["modifiedAt"] = Documents.Time(context.Now),
        };
    }

    private JsonObject CreateAccessEntry(RequestContext context, JsonObject input)
    {
        RequireEntries(context, input);
        var type = input.Text("type") ?? "STANDARD";
        if (Entries(context).Contains(EntryKey(input)))
        {
            throw InUse("The specified access entry resource is already in use on this cluster.", input.Text("clusterName"));
        }
        var arn = input.Required("principalArn");
        if (arn.Contains(":role/", StringComparison.Ordinal) && Runtime.Service<Iam.IamService>().FindRole(context, arn) is null)
        {
            throw Invalid($"The specified principalArn is invalid: invalid principal.", input.Text("clusterName"));
        }
        var known = NodeEntries.TryGetValue(type, out var node);
        if (!known && type != "STANDARD")
        {
            throw Invalid($"The specified access entry type {type} is invalid.", input.Text("clusterName"));
        }
        if (known && (input.Texts("kubernetesGroups").Count > 0 || input.Has("username")))
        {
            throw Request($"The access entry type {type} does not support user names and groups.", input.Text("clusterName"));
        }
        CheckGroups(input);
        return new JsonObject { ["accessEntry"] = AddEntry(context, input.Required("clusterName"), arn, type, known ? node.User : input.Text("username"), known ? node.Groups : input.Texts("kubernetesGroups"), input.Child("tags") ?? [], null) };
    }

    private JsonObject AddEntry(RequestContext context, string cluster, string principal, string type, string? user, IReadOnlyList<string> groups, JsonObject tags, string? policy)
    {
        var parts = principal.Split(':');
        var kind = parts.Length > 5 && parts[5].Contains('/', StringComparison.Ordinal) ? parts[5].Split('/')[0] : "root";
        var entry = new JsonObject
        {
            ["clusterName"] = cluster,
            ["principalArn"] = principal,
            ["kubernetesGroups"] = groups.ToTextList(),
            ["accessEntryArn"] = context.Arn("eks", $"access-entry/{cluster}/{kind}/{context.AccountId}/{OwnSuffix(principal)}/{Runtime.Ids.Uuid()}"),
            ["createdAt"] = Documents.Time(context.Now),
            ["modifiedAt"] = Documents.Time(context.Now),
            ["tags"] = tags.Copy(),
            ["username"] = user ?? (kind == "role" ? $"arn:{context.Partition}:sts::{context.AccountId}:assumed-role/{OwnSuffix(principal)}/{{{{SessionName}}}}" : principal),
            ["type"] = type,
            ["_Policies"] = policy is null ? new JsonArray() : new JsonArray(Association(context, PolicyArn(context, policy), new JsonObject { ["type"] = "cluster" })),
        };
        Entries(context).Put($"{cluster}|{principal}", entry);
        return entry;
    }
}
