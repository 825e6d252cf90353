using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Waf;

/// <summary>AWS WAF: web ACLs with their capacity, IP sets, associations and logging. What the rules say is kept, no request passes through them.</summary>
internal sealed class WafService : SandboxService
{
    private const int MaximumCapacity = 5000;

    /// <summary>The managed rule groups of AWS and the capacity each takes, as the developer guide lists them.</summary>
    private static readonly Dictionary<string, int> ManagedGroups = new(StringComparer.Ordinal)
    {
        ["AWSManagedRulesCommonRuleSet"] = 700,
        ["AWSManagedRulesAdminProtectionRuleSet"] = 100,
        ["AWSManagedRulesKnownBadInputsRuleSet"] = 200,
        ["AWSManagedRulesSQLiRuleSet"] = 200,
        ["AWSManagedRulesLinuxRuleSet"] = 200,
        ["AWSManagedRulesUnixRuleSet"] = 100,
        ["AWSManagedRulesWindowsRuleSet"] = 200,
        ["AWSManagedRulesPHPRuleSet"] = 100,
        ["AWSManagedRulesWordPressRuleSet"] = 100,
        ["AWSManagedRulesAmazonIpReputationList"] = 25,
        ["AWSManagedRulesAnonymousIpList"] = 50,
        ["AWSManagedRulesBotControlRuleSet"] = 50,
        ["AWSManagedRulesATPRuleSet"] = 50,
        ["AWSManagedRulesACFPRuleSet"] = 50,
        ["AWSManagedRulesAntiDDoSRuleSet"] = 50,
    };

    public WafService(SandboxRuntime runtime)
        : base(runtime, "wafv2")
    {
        On("CreateWebACL", CreateWebAcl);
        On("UpdateWebACL", UpdateWebAcl);
        On("GetWebACL", (context, input) =>
        {
            var found = input.Text("ARN") is { } arn ? Acls(context).Get(arn) ?? throw NotFound() : Acl(context, input);
            return new JsonObject { ["WebACL"] = found, ["LockToken"] = found.Text("_Lock") };
        });
        On("DeleteWebACL", (context, input) =>
        {
            var acl = Acl(context, input);
            Unlocked(acl, input);
            if (Associations(context).Any(item => item.Text("WebACLArn") == acl.Text("ARN")))
            {
                throw new ServiceFault("WAFAssociatedItemException", "AWS WAF couldn’t perform the operation because your resource is being used by another resource or it’s associated with another resource.");
            }
            Acls(context).Remove(acl.Required("ARN"));
            Logging(context).Remove(acl.Required("ARN"));
            return [];
        });
        On("ListWebACLs", (context, input) => Page(input, Acls(context).Where(acl => acl.Text("_Scope") == Scope(context, input)).Select(Summary).ToList(), "WebACLs"));
        On("CheckCapacity", (context, input) => new JsonObject { ["Capacity"] = Capacity(context, input.Objects("Rules")) });
        On("AssociateWebACL", (context, input) =>
        {
            var acl = Acls(context).Get(input.Required("WebACLArn")) ?? throw NotFound();
            if (acl.Text("_Scope") != "REGIONAL")
            {
                throw Invalid("The scope is not valid: web ACLs of CloudFront are associated with their distribution.");
            }
            RequireResource(context, input.Required("ResourceArn"));
            Associations(context).Put(input.Required("ResourceArn"), new JsonObject { ["WebACLArn"] = acl.Text("ARN"), ["ResourceArn"] = input.Text("ResourceArn") });
            return [];
        });
        On("DisassociateWebACL", (context, input) =>
        {
            Associations(context).Remove(input.Required("ResourceArn"));
            return [];
        });
        On("GetWebACLForResource", (context, input) => Associations(context).Get(input.Required("ResourceArn")) is { } found ? new JsonObject { ["WebACL"] = Acls(context).Get(found.Required("WebACLArn")) } : []);
        On("ListResourcesForWebACL", (context, input) =>
        {
            _ = Acls(context).Get(input.Required("WebACLArn")) ?? throw NotFound();
            var kind = input.Text("ResourceType") ?? "APPLICATION_LOAD_BALANCER";
            return new JsonObject
            {
                ["ResourceArns"] = Associations(context).Where(item => item.Text("WebACLArn") == input.Text("WebACLArn")).Select(item => item.Required("ResourceArn"))
                    .Where(arn => kind == "API_GATEWAY" ? arn.Contains(":apigateway:", StringComparison.Ordinal) : kind != "APPLICATION_LOAD_BALANCER" || arn.Contains(":loadbalancer/app/", StringComparison.Ordinal)).ToTextList(),
            };
        });
        AddLogging();
        AddIpSets();
        On("ListAvailableManagedRuleGroups", (_, input) => Page(input, ManagedGroups.Keys.Order(StringComparer.Ordinal).Select(name => new JsonObject { ["VendorName"] = "AWS", ["Name"] = name, ["VersioningSupported"] = false, ["Description"] = name }).ToList(), "ManagedRuleGroups"));
        On("DescribeManagedRuleGroup", (_, input) => input.Text("VendorName") == "AWS" && ManagedGroups.TryGetValue(input.Required("Name"), out var capacity)
            ? new JsonObject { ["Capacity"] = capacity, ["Rules"] = new JsonArray(), ["LabelNamespace"] = $"awswaf:managed:aws:{input.Required("Name")["AWSManagedRules".Length..].ToLowerInvariant()}:" } : throw NotFound());
        On("TagResource", (context, input) => Retag(context, input.Required("ResourceARN"), document => Tags.Put(document, "_Tags", input.Objects("Tags"))));
        On("UntagResource", (context, input) => Retag(context, input.Required("ResourceARN"), document => Tags.Remove(document, "_Tags", input.Texts("TagKeys"))));
        On("ListTagsForResource", (context, input) => new JsonObject
        {
            ["TagInfoForResource"] = new JsonObject { ["ResourceARN"] = input.Text("ResourceARN"), ["TagList"] = Owner(context, input.Required("ResourceARN")).Get(input.Required("ResourceARN"))!["_Tags"].Copy() },
        });
    }

    private Collection Acls(RequestContext context) => Collection(context, "acls");

    private Collection IpSets(RequestContext context) => Collection(context, "ipsets");

    private Collection Associations(RequestContext context) => Collection(context, "associations");

    private Collection Logging(RequestContext context) => Collection(context, "logging");

    private static ServiceFault NotFound() => new("WAFNonexistentItemException", "AWS WAF couldn’t perform the operation because your resource doesn’t exist.");

    private static ServiceFault Invalid(string reason) => new("WAFInvalidParameterException", $"Error reason: {reason}");

    private static JsonObject Page(JsonObject input, IReadOnlyList<JsonObject> all, string member) => Pages.Answer(input, all, member, "Limit", "NextMarker", 100, "WAFInvalidParameterException");

    private static JsonObject Summary(JsonObject item) => item.Pick("Name", "Id", "Description", "ARN").With("LockToken", item.Text("_Lock"));

    private static string Scope(RequestContext context, JsonObject input)
    {
        var scope = input.Required("Scope");
        return scope == "CLOUDFRONT" && context.Region != "us-east-1" ? throw Invalid("The scope is not valid., field: SCOPE_VALUE, parameter: CLOUDFRONT") : scope;
    }

    private static string Arn(RequestContext context, string scope, string kind, string name, string id) => context.Arn("wafv2", $"{(scope == "CLOUDFRONT" ? "global" : "regional")}/{kind}/{name}/{id}");

    private JsonObject Acl(RequestContext context, JsonObject input) => Acls(context).Find(acl => acl.Text("Id") == input.Text("Id") && acl.Text("Name") == input.Text("Name") && acl.Text("_Scope") == Scope(context, input)) ?? throw NotFound();

    private static void Unlocked(JsonObject item, JsonObject input)
    {
        if (item.Text("_Lock") != input.Text("LockToken"))
        {
            throw new ServiceFault("WAFOptimisticLockException", "AWS WAF couldn’t save your changes because someone changed the resource after you started to edit it. Reapply your changes.");
        }
    }

    /// <summary>The web ACL capacity units that rules take.</summary>
    private int Capacity(RequestContext context, IEnumerable<JsonObject> rules) => rules.Sum(rule => Capacity(context, rule.Child("Statement") ?? []));

    private int Capacity(RequestContext context, JsonObject statement)
    {
        if (statement.Count != 1)
        {
            throw Invalid("A statement must hold exactly one kind of statement., field: STATEMENT");
        }
        var (kind, value) = statement.First();
        var body = (JsonObject)value!;
        switch (kind)
        {
            case "ManagedRuleGroupStatement":
                return body.Text("VendorName") != "AWS" ? 200 : ManagedGroups.TryGetValue(body.Required("Name"), out var capacity) ? capacity
                    : throw NotFound();
            case "RateBasedStatement":
                return 2 + (body.Child("ScopeDownStatement") is { } scope ? Capacity(context, scope) : 0);
            case "AndStatement" or "OrStatement":
                return body.Objects("Statements").Sum(item => Capacity(context, item));
            case "NotStatement":
                return Capacity(context, body.Child("Statement") ?? []);
            case "IPSetReferenceStatement":
                return IpSets(context).Contains(body.Required("ARN")) ? 1 : throw NotFound();
            case "SqliMatchStatement":
                return (body.Text("SensitivityLevel") == "HIGH" ? 30 : 20) + Transformations(body);
            case "XssMatchStatement":
                return 40 + Transformations(body);
            case "RegexMatchStatement":
                return 3 + Transformations(body);
            case "RegexPatternSetReferenceStatement":
                return 25 + Transformations(body);
            case "ByteMatchStatement":
                return (body.Text("PositionalConstraint") is "CONTAINS" or "CONTAINS_WORD" ? 10 : 2) + Transformations(body);
            default:
                return 1 + Transformations(body);
        }

        static int Transformations(JsonObject body) => 10 * body.Objects("TextTransformations").Count(item => item.Text("Type") != "NONE");
    }

    private void CheckRules(RequestContext context, JsonObject input, out int capacity)
    {
        var rules = input.Objects("Rules").ToList();
        if (rules.GroupBy(rule => rule.Int("Priority")).Any(group => group.Count() > 1))
        {
            throw Invalid("You have used the same priority for more than one rule., field: PRIORITY");
        }
        if (rules.GroupBy(rule => rule.Text("Name")).Any(group => group.Count() > 1))
        {
            throw Invalid("You have used the same name for more than one rule., field: RULE");
        }
        foreach (var rule in rules)
        {
            var group = rule.Child("Statement")?.Has("ManagedRuleGroupStatement") == true || rule.Child("Statement")?.Has("RuleGroupReferenceStatement") == true;
            if (group != rule.Has("OverrideAction") || group == rule.Has("Action"))
            {
                throw Invalid($"A reference in your rule statement is not valid: rule groups take OverrideAction, other statements Action., field: RULE_ACTION, parameter: {rule.Text("Name")}");
            }
        }
        if (input.Child("DefaultAction") is not { Count: 1 })
        {
            throw Invalid("You must specify exactly one default action., field: DEFAULT_ACTION");
        }
        capacity = Capacity(context, rules);
        if (capacity > MaximumCapacity)
        {
            throw new ServiceFault("WAFLimitsExceededException", $"AWS WAF couldn’t perform the operation because you exceeded your resource limit: the web ACL needs {capacity} of {MaximumCapacity} capacity units.");
        }
    }

    private JsonObject CreateWebAcl(RequestContext context, JsonObject input)
    {
        var scope = Scope(context, input);
        CheckRules(context, input, out var capacity);
        if (Acls(context).Any(item => item.Text("Name") == input.Text("Name") && item.Text("_Scope") == scope))
        {
            throw new ServiceFault("WAFDuplicateItemException", "AWS WAF couldn’t perform the operation because some resource in your request is a duplicate of an existing one.");
        }
        var id = Runtime.Ids.Uuid();
        var acl = input.Pick("Name", "Description", "DefaultAction", "Rules", "VisibilityConfig", "CustomResponseBodies", "CaptchaConfig", "ChallengeConfig", "TokenDomains", "AssociationConfig", "DataProtectionConfig");
        acl["Rules"] ??= new JsonArray();
        acl["Id"] = id;
        acl["ARN"] = Arn(context, scope, "webacl", input.Required("Name"), id);
        acl["Capacity"] = capacity;
        acl["ManagedByFirewallManager"] = false;
        acl["LabelNamespace"] = $"awswaf:{context.AccountId}:webacl:{input.Text("Name")}:";
        acl["_Scope"] = scope;
        acl["_Lock"] = Runtime.Ids.Uuid();
        acl["_Tags"] = input["Tags"].Copy() ?? new JsonArray();
        Acls(context).Put(acl.Required("ARN"), acl);
        return new JsonObject { ["Summary"] = Summary(acl) };
    }

    private JsonObject UpdateWebAcl(RequestContext context, JsonObject input)
    {
        var acl = Acl(context, input);
        Unlocked(acl, input);
        CheckRules(context, input, out var capacity);
        // What an update leaves out is gone: it replaces the whole.
        foreach (var member in (string[])["Description", "DefaultAction", "Rules", "VisibilityConfig", "CustomResponseBodies", "CaptchaConfig", "ChallengeConfig", "TokenDomains", "AssociationConfig", "DataProtectionConfig"])
        {
            acl.Remove(member);
            acl.With(member, input[member].Copy());
        }
        acl["Rules"] ??= new JsonArray();
        acl["Capacity"] = capacity;
        acl["_Lock"] = Runtime.Ids.Uuid();
        Acls(context).Put(acl.Required("ARN"), acl);
        return new JsonObject { ["NextLockToken"] = acl.Text("_Lock") };
    }

    private void RequireResource(RequestContext context, string arn)
    {
        if (arn.Contains(":loadbalancer/app/", StringComparison.Ordinal) && !Runtime.Collection("elbv2", "load-balancers", context).Any(item => item.Text("LoadBalancerArn") == arn))
        {
            throw NotFound();
        }
        if (!arn.Contains(":loadbalancer/app/", StringComparison.Ordinal) && !arn.Contains(":apigateway:", StringComparison.Ordinal) && !arn.Contains(":appsync:", StringComparison.Ordinal) && !arn.Contains(":cognito-idp:", StringComparison.Ordinal))
        {
            throw Invalid($"The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by colons or slashes., field: RESOURCE_ARN, parameter: {arn}");
        }
    }

    private void AddLogging()
    {
        On("PutLoggingConfiguration", (context, input) =>
        {
            var configuration = input.Child("LoggingConfiguration")!.Copy();
            var acl = Acls(context).Get(configuration.Required("ResourceArn")) ?? throw NotFound();
            foreach (var destination in configuration.Texts("LogDestinationConfigs"))
            {
                var name = destination.Contains(":log-group:", StringComparison.Ordinal) ? destination.Split(":log-group:")[1].Split(':')[0] : destination.Split(':')[^1].Split('/')[^1];
                if (!name.StartsWith("aws-waf-logs-", StringComparison.Ordinal))
                {
                    throw Invalid($"The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by colons or slashes., field: LOG_DESTINATION, parameter: {destination}");
                }
                if (destination.Contains(":log-group:", StringComparison.Ordinal) && !Runtime.Service<Logs.LogsService>().EnsureGroup(context, name, create: false))
                {
                    throw new ServiceFault("WAFLogDestinationPermissionIssueException", $"The log group {name} does not exist.");
                }
            }
            configuration["ManagedByFirewallManager"] ??= false;
            configuration["LogType"] ??= "WAF_LOGS";
            configuration["LogScope"] ??= "CUSTOMER";
            Logging(context).Put(acl.Required("ARN"), configuration);
            return new JsonObject { ["LoggingConfiguration"] = configuration };
        });
        On("GetLoggingConfiguration", (context, input) => new JsonObject { ["LoggingConfiguration"] = Logging(context).Get(input.Required("ResourceArn")) ?? throw NotFound() });
        On("DeleteLoggingConfiguration", (context, input) => Logging(context).Remove(input.Required("ResourceArn")) ? [] : throw NotFound());
        On("ListLoggingConfigurations", (context, input) => Page(input, Logging(context).All(), "LoggingConfigurations"));
    }

    private void AddIpSets()
    {
        JsonObject Find(RequestContext context, JsonObject input) => IpSets(context).Find(item => item.Text("Id") == input.Text("Id") && item.Text("Name") == input.Text("Name") && item.Text("_Scope") == Scope(context, input)) ?? throw NotFound();
        static void CheckAddresses(JsonObject input, string version)
        {
            foreach (var address in input.Texts("Addresses"))
            {
                if (!System.Net.IPNetwork.TryParse(address, out var network) || (network.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6) != (version == "IPV6"))
                {
                    throw Invalid($"Your request contains an IP address that is not valid in CIDR notation., field: IP_ADDRESS, parameter: {address}");
                }
            }
        }
        On("CreateIPSet", (context, input) =>
        {
            var scope = Scope(context, input);
            CheckAddresses(input, input.Required("IPAddressVersion"));
            if (IpSets(context).Any(item => item.Text("Name") == input.Text("Name") && item.Text("_Scope") == scope))
            {
                throw new ServiceFault("WAFDuplicateItemException", "AWS WAF couldn’t perform the operation because some resource in your request is a duplicate of an existing one.");
            }
            var id = Runtime.Ids.Uuid();
            var set = input.Pick("Name", "Description", "IPAddressVersion", "Addresses");
            set["Id"] = id;
            set["ARN"] = Arn(context, scope, "ipset", input.Required("Name"), id);
            set["_Scope"] = scope;
            set["_Lock"] = Runtime.Ids.Uuid();
            set["_Tags"] = input["Tags"].Copy() ?? new JsonArray();
            IpSets(context).Put(set.Required("ARN"), set);
            return new JsonObject { ["Summary"] = Summary(set) };
        });
        On("GetIPSet", (context, input) => Find(context, input) is var found ? new JsonObject { ["IPSet"] = found, ["LockToken"] = found.Text("_Lock") } : []);
        On("UpdateIPSet", (context, input) =>
        {
            var set = Find(context, input);
            Unlocked(set, input);
            CheckAddresses(input, set.Required("IPAddressVersion"));
            set.Take(input, "Addresses", "Description");
            set["_Lock"] = Runtime.Ids.Uuid();
            IpSets(context).Put(set.Required("ARN"), set);
            return new JsonObject { ["NextLockToken"] = set.Text("_Lock") };
        });
        On("DeleteIPSet", (context, input) =>
        {
            var set = Find(context, input);
            Unlocked(set, input);
            if (Acls(context).Any(acl => acl["Rules"]?.ToJsonString().Contains(set.Required("ARN"), StringComparison.Ordinal) == true))
            {
                throw new ServiceFault("WAFAssociatedItemException", "AWS WAF couldn’t perform the operation because your resource is being used by another resource or it’s associated with another resource.");
            }
            IpSets(context).Remove(set.Required("ARN"));
            return [];
        });
        On("ListIPSets", (context, input) => Page(input, IpSets(context).Where(item => item.Text("_Scope") == Scope(context, input)).Select(Summary).ToList(), "IPSets"));
    }

    private Collection Owner(RequestContext context, string arn) => Acls(context).Contains(arn) ? Acls(context) : IpSets(context).Contains(arn) ? IpSets(context) : throw NotFound();

    private JsonObject Retag(RequestContext context, string arn, Action<JsonObject> change)
    {
        Owner(context, arn).Update(arn, change);
        return [];
    }
}
