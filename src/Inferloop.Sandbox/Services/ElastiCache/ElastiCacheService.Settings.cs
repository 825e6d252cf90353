using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ElastiCache;

/// <summary>Versions, subnet groups and parameter groups.</summary>
internal sealed partial class ElastiCacheService
{
    private void AddSettings()
    {
        On("DescribeCacheEngineVersions", (_, input) => Paged(input, CacheCatalog.Versions.Where(item => (input.Text("Engine") is not { } engine || item.Engine == engine)
                && (input.Text("EngineVersion") is not { } version || item.Asked == version || item.Runs == version) && (input.Text("CacheParameterGroupFamily") is not { } family || item.Family == family))
            .Select(item => new JsonObject
            {
                ["Engine"] = item.Engine,
                ["EngineVersion"] = item.Runs,
                ["CacheParameterGroupFamily"] = item.Family,
                ["CacheEngineDescription"] = item.Engine == "redis" ? "Redis" : "Valkey",
                ["CacheEngineVersionDescription"] = $"{item.Engine} version {item.Runs}",
            }).ToList(), "CacheEngineVersions"));
        On("CreateCacheSubnetGroup", (context, input) =>
        {
            var name = Key(input.Required("CacheSubnetGroupName"));
            var group = WithSubnets(context, new JsonObject
            {
                ["CacheSubnetGroupName"] = name,
                ["CacheSubnetGroupDescription"] = input.Text("CacheSubnetGroupDescription"),
                ["ARN"] = context.Arn("elasticache", "subnetgroup:" + name),
                ["SupportedNetworkTypes"] = new JsonArray("ipv4"),
                ["_Tags"] = input["Tags"].Copy() ?? new JsonArray(),
            }, input.Texts("SubnetIds"));
            return SubnetGroups(context).TryAdd(name, group) ? new JsonObject { ["CacheSubnetGroup"] = group }
                : throw new ServiceFault("CacheSubnetGroupAlreadyExists", $"Cache subnet group {name} already exists.");
        });
        On("DescribeCacheSubnetGroups", (context, input) => Paged(input, input.Text("CacheSubnetGroupName") is { } name ? [SubnetGroup(context, name)] : SubnetGroups(context).All(), "CacheSubnetGroups"));
        On("ModifyCacheSubnetGroup", (context, input) =>
        {
            var group = SubnetGroup(context, input.Required("CacheSubnetGroupName")).Take(input, "CacheSubnetGroupDescription");
            if (input.Has("SubnetIds"))
            {
                WithSubnets(context, group, input.Texts("SubnetIds"));
            }
            SubnetGroups(context).Put(group.Required("CacheSubnetGroupName"), group);
            return new JsonObject { ["CacheSubnetGroup"] = group };
        });
        On("DeleteCacheSubnetGroup", (context, input) =>
        {
            var name = SubnetGroup(context, input.Required("CacheSubnetGroupName")).Required("CacheSubnetGroupName");
            if (Groups(context).Any(group => group.Text("_SubnetGroup") == name))
            {
                throw new ServiceFault("CacheSubnetGroupInUse", $"Cache subnet group {name} is currently in use by a cache cluster.");
            }
            SubnetGroups(context).Remove(name);
            return [];
        });
        On("CreateCacheParameterGroup", (context, input) =>
        {
            var name = Key(input.Required("CacheParameterGroupName"));
            var family = input.Required("CacheParameterGroupFamily");
            if (!CacheCatalog.Versions.Any(item => item.Family == family))
            {
                throw Invalid($"CacheParameterGroupFamily {family} is not a valid parameter group family.");
            }
            var group = input.Pick("CacheParameterGroupFamily", "Description").With("CacheParameterGroupName", name).With("IsGlobal", false)
                .With("ARN", context.Arn("elasticache", "parametergroup:" + name)).With("_Values", new JsonObject()).With("_Tags", input["Tags"].Copy() ?? new JsonArray());
            return ParameterGroups(context).TryAdd(name, group) ? new JsonObject { ["CacheParameterGroup"] = group }
                : throw new ServiceFault("CacheParameterGroupAlreadyExists", $"Cache parameter group {name} already exists.");
        });
        On("DescribeCacheParameterGroups", (context, input) => Paged(input, input.Text("CacheParameterGroupName") is { } name ? [ParameterGroup(context, name)]
            : [.. ParameterGroups(context).All(), .. CacheCatalog.Versions.Select(item => item.Family).Distinct().Select(family => DefaultGroup(context, family))], "CacheParameterGroups"));
        On("DescribeCacheParameters", (context, input) =>
        {
            var own = ParameterGroup(context, input.Required("CacheParameterGroupName")).Map("_Values");
            return Paged(input, CacheCatalog.Parameters.Select(item => new JsonObject
            {
                ["ParameterName"] = item.Name,
                ["ParameterValue"] = own.GetValueOrDefault(item.Name, item.Default),
                ["Source"] = own.ContainsKey(item.Name) ? "user" : "system",
                ["DataType"] = item.Allowed.Contains("yes", StringComparison.Ordinal) || item.Allowed.Length == 0 ? "string" : "integer",
                ["AllowedValues"] = item.Allowed,
                ["IsModifiable"] = item.IsModifiable,
                ["ChangeType"] = item.Name is "cluster-enabled" or "databases" ? "requires-reboot" : "immediate",
            }).Where(item => input.Text("Source") is not { } source || item.Text("Source") == source).ToList(), "Parameters");
        });
        On("ModifyCacheParameterGroup", (context, input) => ChangeParameters(context, input, values =>
        {
            foreach (var item in input.Objects("ParameterNameValues"))
            {
                var (name, value) = (item.Required("ParameterName"), item.Required("ParameterValue"));
                var known = CacheCatalog.Parameters.FirstOrDefault(parameter => parameter.Name == name);
                if (known.Name is null)
                {
                    throw Invalid($"The parameter {name} does not exist in the parameter group's family.");
                }
                if (!known.IsModifiable)
                {
                    throw Invalid($"The parameter {name} cannot be modified.");
                }
                if (!Takes(known.Allowed, value))
                {
                    throw Invalid($"The value {value} is not valid for parameter {name}. Allowed values: {known.Allowed}");
                }
                values[name] = value;
            }
        }));
        On("ResetCacheParameterGroup", (context, input) => ChangeParameters(context, input, values =>
        {
            foreach (var name in input.Is("ResetAllParameters") ? values.Select(pair => pair.Key).ToList() : input.Objects("ParameterNameValues").Select(item => item.Required("ParameterName")).ToList())
            {
                values.Remove(name);
            }
        }));
        On("DeleteCacheParameterGroup", (context, input) =>
        {
            var name = Own(input.Required("CacheParameterGroupName"));
            _ = ParameterGroup(context, name);
            if (Groups(context).Any(group => group.Text("_ParameterGroup") == name))
            {
                throw new ServiceFault("InvalidCacheParameterGroupState", "One or more cache clusters are still members of this parameter group " + name + ", so the group cannot be deleted.");
            }
            ParameterGroups(context).Remove(name);
            return [];
        });
    }

    private static string Own(string name) => name.StartsWith("default.", StringComparison.Ordinal)
        ? throw new ServiceFault("InvalidCacheParameterGroupState", $"The default parameter group {name} cannot be changed or deleted.")
        : Key(name);

    private static bool Takes(string allowed, string value)
    {
        if (allowed.Length == 0 || allowed.Split(',').Contains(value))
        {
            return true;
        }
        return long.TryParse(value, out var number) && allowed.Split(',').Any(part => part.IndexOf('-', 1) is > 0 and var at
            && long.TryParse(part[..at], out var low) && long.TryParse(part[(at + 1)..], out var high) && number >= low && number <= high);
    }

    private JsonObject ChangeParameters(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        var name = Own(input.Required("CacheParameterGroupName"));
        var group = ParameterGroup(context, name);
        change(group.ChildOrNew("_Values"));
        ParameterGroups(context).Put(name, group);
        return new JsonObject { ["CacheParameterGroupName"] = name };
    }

    private static JsonObject DefaultGroup(RequestContext context, string family) => new()
    {
        ["CacheParameterGroupName"] = "default." + family,
        ["CacheParameterGroupFamily"] = family,
        ["Description"] = $"Default parameter group for {family}",
        ["IsGlobal"] = false,
        ["ARN"] = context.Arn("elasticache", "parametergroup:default." + family),
    };

    private JsonObject ParameterGroup(RequestContext context, string name) =>
        CacheCatalog.Versions.FirstOrDefault(item => name == "default." + item.Family || name == $"default.{item.Family}.cluster.on").Family is { } family
            ? DefaultGroup(context, family).With("CacheParameterGroupName", name)
            : ParameterGroups(context).Get(Key(name)) ?? throw new ServiceFault("CacheParameterGroupNotFound", $"CacheParameterGroup {name} not found.", 404);

    private JsonObject SubnetGroup(RequestContext context, string name) => SubnetGroups(context).Get(Key(name))
        ?? throw new ServiceFault("CacheSubnetGroupNotFoundFault", $"Cache Subnet Group {name} does not exist.", 400);

    private JsonObject WithSubnets(RequestContext context, JsonObject group, IReadOnlyList<string> ids)
    {
        var subnets = ids.Select(id =>
        {
            try
            {
                return Ec2.Subnet(context, id);
            }
            catch (ServiceFault)
            {
                throw new ServiceFault("InvalidSubnet", $"The requested subnet {id} was not found.");
            }
        }).ToList();
        if (subnets.Select(subnet => subnet.Text("VpcId")).Distinct().Count() != 1)
        {
            throw new ServiceFault("InvalidSubnet", "All subnets of a cache subnet group must be in one VPC.");
        }
        group["VpcId"] = subnets[0].Text("VpcId");
        group["Subnets"] = subnets.Select(subnet => new JsonObject
        {
            ["SubnetIdentifier"] = subnet.Text("SubnetId"),
            ["SubnetAvailabilityZone"] = new JsonObject { ["Name"] = subnet.Text("AvailabilityZone") },
            ["SupportedNetworkTypes"] = new JsonArray("ipv4"),
        }).ToJsonList();
        return group;
    }
}
