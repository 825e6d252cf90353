using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Rds;

/// <summary>Subnet groups and option groups.</summary>
internal sealed partial class RdsService
{
    private void AddGroups()
    {
        On("CreateDBSubnetGroup", (context, input) =>
        {
            var name = Key(input.Required("DBSubnetGroupName"));
            if (name == "default" || name.Length > 255 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or ' '))
            {
                throw Invalid($"The parameter DBSubnetGroupName is not a valid identifier. {name}");
            }
            Tags.Check(input.Objects("Tags"), "InvalidParameterValue");
            var group = SubnetsOf(context, new JsonObject
            {
                ["DBSubnetGroupName"] = name,
                ["DBSubnetGroupDescription"] = input.Text("DBSubnetGroupDescription"),
                ["SubnetGroupStatus"] = "Complete",
                ["DBSubnetGroupArn"] = context.Arn("rds", "subgrp:" + name),
                ["SupportedNetworkTypes"] = new JsonArray("IPV4"),
                ["TagList"] = input["Tags"].Copy() ?? new JsonArray(),
            }, input.Texts("SubnetIds"));
            return SubnetGroups(context).TryAdd(name, group)
                ? new JsonObject { ["DBSubnetGroup"] = group }
                : throw new ServiceFault("DBSubnetGroupAlreadyExists", $"The DB subnet group '{name}' already exists.");
        });
        On("DescribeDBSubnetGroups", (context, input) => Paged(input, input.Text("DBSubnetGroupName") is { } name ? [SubnetGroup(context, name)] : SubnetGroups(context).All(), "DBSubnetGroups"));
        On("ModifyDBSubnetGroup", (context, input) =>
        {
            var name = Key(input.Required("DBSubnetGroupName"));
            var changed = SubnetsOf(context, SubnetGroup(context, name).Take(input, "DBSubnetGroupDescription"), input.Texts("SubnetIds"));
            var left = SubnetGroup(context, name).Objects("Subnets").Select(item => item.Required("SubnetIdentifier")).Except(input.Texts("SubnetIds")).ToList();
            if (left.Find(subnet => Instances(context).Any(item => item.Child("DBSubnetGroup")?.Text("DBSubnetGroupName") == name && item.Texts("_Subnets").Contains(subnet))) is { } used)
            {
                throw new ServiceFault("SubnetAlreadyInUse", $"The specified subnet {used} is currently in use by a DB instance.");
            }
            SubnetGroups(context).Put(name, changed);
            return new JsonObject { ["DBSubnetGroup"] = changed };
        });
        On("DeleteDBSubnetGroup", (context, input) =>
        {
            var name = Key(SubnetGroup(context, input.Required("DBSubnetGroupName")).Required("DBSubnetGroupName"));
            if (Instances(context).Find(item => item.Child("DBSubnetGroup")?.Text("DBSubnetGroupName") == name) is { } user)
            {
                throw new ServiceFault("InvalidDBSubnetGroupStateFault", $"Cannot delete the subnet group '{name}' because at least one database instance: {user.Text("DBInstanceIdentifier")} is still using it.");
            }
            SubnetGroups(context).Remove(name);
            return [];
        });
        On("DescribeOptionGroups", (context, input) =>
        {
            var all = PostgresVersions.Majors.Select(major => new JsonObject
            {
                ["OptionGroupName"] = $"default:postgres-{major}",
                ["OptionGroupDescription"] = $"Default option group for postgres {major}",
                ["EngineName"] = "postgres",
                ["MajorEngineVersion"] = $"{major}",
                ["Options"] = new JsonArray(),
                ["AllowsVpcAndNonVpcInstanceMemberships"] = true,
                ["OptionGroupArn"] = context.Arn("rds", $"og:default:postgres-{major}"),
            }).Where(group => (input.Text("OptionGroupName") is not { } name || group.Text("OptionGroupName") == name)
                && (input.Text("MajorEngineVersion") is not { } major || group.Text("MajorEngineVersion") == major)).ToList();
            return all.Count == 0 && input.Has("OptionGroupName")
                ? throw new ServiceFault("OptionGroupNotFoundFault", $"Specified OptionGroupName: {input.Text("OptionGroupName")} not found.", 404)
                : Paged(input, all, "OptionGroupsList");
        });
    }

    private JsonObject SubnetGroup(RequestContext context, string name) => SubnetGroups(context).Get(Key(name))
        ?? throw new ServiceFault("DBSubnetGroupNotFoundFault", $"DB subnet group '{name}' not found.", 404);

    /// <summary>The group with its subnets: of one VPC, in two zones at least.</summary>
    private JsonObject SubnetsOf(RequestContext context, JsonObject group, IReadOnlyList<string> ids)
    {
        var subnets = ids.Distinct().Select(id =>
        {
            try
            {
                return Ec2.Subnet(context, id);
            }
            catch (ServiceFault)
            {
                throw new ServiceFault("InvalidSubnet", $"Some input subnets in :[{string.Join(", ", ids)}] are invalid.");
            }
        }).ToList();
        if (subnets.Select(subnet => subnet.Text("VpcId")).Distinct().Count() > 1)
        {
            throw new ServiceFault("InvalidSubnet", "Some input subnets are in different VPCs.");
        }
        var zones = subnets.Select(subnet => subnet.Required("AvailabilityZone")).Distinct().ToList();
        if (zones.Count < 2)
        {
            throw new ServiceFault("DBSubnetGroupDoesNotCoverEnoughAZs",
                $"The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: {string.Join(", ", zones)}. Add subnets to cover at least 2 AZs.");
        }
        group["VpcId"] = subnets[0].Text("VpcId");
        group["Subnets"] = subnets.Select(subnet => new JsonObject
        {
            ["SubnetIdentifier"] = subnet.Text("SubnetId"),
            ["SubnetAvailabilityZone"] = new JsonObject { ["Name"] = subnet.Text("AvailabilityZone") },
            ["SubnetOutpost"] = new JsonObject(),
            ["SubnetStatus"] = "Active",
        }).ToJsonList();
        return group;
    }

    /// <summary>The group of the default VPC, which RDS makes itself.</summary>
    private async Task<JsonObject> DefaultSubnetGroupAsync(RequestContext context)
    {
        if (SubnetGroups(context).Get("default") is { } present)
        {
            return present;
        }
        JsonObject Filter(string name, string value) => new() { ["Filters"] = new JsonArray(new JsonObject { ["Name"] = name, ["Values"] = new JsonArray(value) }) };
        var vpc = (await Ec2.InvokeAsync(context.Detached(), "DescribeVpcs", Filter("is-default", "true")).ConfigureAwait(false)).Objects("Vpcs").FirstOrDefault()
            ?? throw new ServiceFault("InvalidSubnet", "No default subnet detected in VPC. Please contact AWS Support to recreate the default Subnets.");
        var subnets = await Ec2.InvokeAsync(context.Detached(), "DescribeSubnets", Filter("vpc-id", vpc.Required("VpcId"))).ConfigureAwait(false);
        var group = SubnetsOf(context, new JsonObject
        {
            ["DBSubnetGroupName"] = "default",
            ["DBSubnetGroupDescription"] = "default",
            ["SubnetGroupStatus"] = "Complete",
            ["DBSubnetGroupArn"] = context.Arn("rds", "subgrp:default"),
            ["TagList"] = new JsonArray(),
        }, subnets.Objects("Subnets").Select(subnet => subnet.Required("SubnetId")).ToList());
        SubnetGroups(context).TryAdd("default", group);
        return group;
    }
}
