using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Rds;

/// <summary>Parameter groups: values are checked, static ones wait for a restart of the instances.</summary>
internal sealed partial class RdsService
{
    private void AddParameterGroups()
    {
        On("CreateDBParameterGroup", (context, input) =>
        {
            RequireFamily(input.Required("DBParameterGroupFamily"));
            Tags.Check(input.Objects("Tags"), "InvalidParameterValue");
            return NewParameterGroup(context, input.Required("DBParameterGroupName"), input.Pick("DBParameterGroupFamily", "Description"), [], input["Tags"].Copy());
        });
        On("CopyDBParameterGroup", (context, input) =>
        {
            var source = ParameterGroup(context, input.Required("SourceDBParameterGroupIdentifier").Split(':')[^1]);
            return NewParameterGroup(context, input.Required("TargetDBParameterGroupIdentifier"),
                source.Pick("DBParameterGroupFamily").With("Description", input.Text("TargetDBParameterGroupDescription")), source.ChildOrNew("_Values").Copy(), input["Tags"].Copy());
        });
        On("DescribeDBParameterGroups", (context, input) => Paged(input, input.Text("DBParameterGroupName") is { } name
            ? [ParameterGroup(context, name)]
            : [.. ParameterGroups(context).All(), .. PostgresVersions.Majors.Select(major => DefaultGroup(context, $"postgres{major}"))], "DBParameterGroups"));
        On("DeleteDBParameterGroup", (context, input) =>
        {
            var group = OwnGroup(context, input.Required("DBParameterGroupName"), "deleted");
            var name = group.Required("DBParameterGroupName");
            if (Instances(context).Any(item => item.Objects("DBParameterGroups").Any(member => member.Text("DBParameterGroupName") == name)))
            {
                throw new ServiceFault("InvalidDBParameterGroupState", "One or more database instances are still members of this parameter group " + name + ", so the group cannot be deleted");
            }
            ParameterGroups(context).Remove(Key(name));
            return [];
        });
        On("DescribeDBParameters", (context, input) =>
        {
            var group = ParameterGroup(context, input.Required("DBParameterGroupName"));
            var values = group.Child("_Values") ?? [];
            var all = PostgresParameters.Of(group.Required("DBParameterGroupFamily")).Select(parameter => Shown(parameter, values.Child(parameter.Name)))
                .Where(shown => input.Text("Source") is not { } source || shown.Text("Source") == source).ToList();
            return Paged(input, all, "Parameters");
        });
        On("DescribeEngineDefaultParameters", (_, input) =>
        {
            RequireFamily(input.Required("DBParameterGroupFamily"));
            var page = Paged(input, PostgresParameters.Of(input.Required("DBParameterGroupFamily")).Select(parameter => Shown(parameter, null)).ToList(), "Parameters");
            return new JsonObject { ["EngineDefaults"] = page.With("DBParameterGroupFamily", input.Text("DBParameterGroupFamily")) };
        });
        On("ModifyDBParameterGroup", (context, input) =>
        {
            var group = OwnGroup(context, input.Required("DBParameterGroupName"), "modified");
            var family = group.Required("DBParameterGroupFamily");
            var changes = input.Objects("Parameters").Select(item => (Parameter: Checked(family, item), Item: item)).ToList();
            return ChangeParameters(context, group, changes.Select(change => change.Parameter).ToList(), values =>
            {
                foreach (var (parameter, item) in changes)
                {
                    values[parameter.Name] = new JsonObject { ["Value"] = item.Text("ParameterValue"), ["ApplyMethod"] = item.Text("ApplyMethod") };
                }
            });
        });
        On("ResetDBParameterGroup", (context, input) =>
        {
            var group = OwnGroup(context, input.Required("DBParameterGroupName"), "modified");
            var family = group.Required("DBParameterGroupFamily");
            var names = input.Is("ResetAllParameters") ? (group.Child("_Values") ?? []).Select(pair => pair.Key).ToList() : input.Objects("Parameters").Select(item => item.Required("ParameterName")).ToList();
            return ChangeParameters(context, group, names.Select(name => PostgresParameters.Require(family, name)).ToList(), values =>
            {
                foreach (var name in names)
                {
                    values.Remove(name);
                }
            });
        });
    }

    private static void RequireFamily(string family)
    {
        if (!PostgresVersions.Majors.Any(major => family == $"postgres{major}"))
        {
            throw Invalid($"ParameterGroupFamily {family} is not a valid parameter group family");
        }
    }

    private JsonObject NewParameterGroup(RequestContext context, string name, JsonObject facts, JsonObject values, JsonNode? tags)
    {
        if (name.Length is 0 or > 255 || !char.IsAsciiLetter(name[0]) || name.EndsWith('-') || name.Contains("--", StringComparison.Ordinal) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
        {
            throw Invalid($"The parameter DBParameterGroupName is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.");
        }
        var group = facts.With("DBParameterGroupName", Key(name)).With("DBParameterGroupArn", context.Arn("rds", "pg:" + Key(name))).With("_Values", values).With("TagList", tags ?? new JsonArray());
        return ParameterGroups(context).TryAdd(Key(name), group)
            ? new JsonObject { ["DBParameterGroup"] = group }
            : throw new ServiceFault("DBParameterGroupAlreadyExists", $"Parameter group {name} already exists");
    }

    private static JsonObject DefaultGroup(RequestContext context, string family) => new()
    {
        ["DBParameterGroupName"] = "default." + family,
        ["DBParameterGroupFamily"] = family,
        ["Description"] = $"Default parameter group for {family}",
        ["DBParameterGroupArn"] = context.Arn("rds", "pg:default." + family),
    };

    private JsonObject ParameterGroup(RequestContext context, string name)
    {
        if (PostgresVersions.Majors.FirstOrDefault(major => name == $"default.postgres{major}") is > 0 and var found)
        {
            return DefaultGroup(context, $"postgres{found}");
        }
        return ParameterGroups(context).Get(Key(name)) ?? throw new ServiceFault("DBParameterGroupNotFound", $"DBParameterGroup not found: {name}", 404);
    }

    private JsonObject OwnGroup(RequestContext context, string name, string what) => name.StartsWith("default.", StringComparison.Ordinal)
        ? throw new ServiceFault("InvalidDBParameterGroupState", $"Default DB parameter group {name} cannot be {what}.")
        : ParameterGroup(context, name);

    private static JsonObject Shown(PostgresParameter parameter, JsonObject? own) => new JsonObject
    {
        ["ParameterName"] = parameter.Name,
        ["Source"] = own is not null ? "user" : parameter.Default is not null ? "system" : "engine-default",
        ["ApplyType"] = parameter.IsStatic ? "static" : "dynamic",
        ["DataType"] = parameter.DataType,
        ["IsModifiable"] = parameter.IsModifiable,
        ["ApplyMethod"] = own?.Text("ApplyMethod") ?? "pending-reboot",
    }.With("ParameterValue", own?.Text("Value") ?? parameter.Default).With("AllowedValues", parameter.Allowed.Length > 0 ? parameter.Allowed : null);

    private static PostgresParameter Checked(string family, JsonObject item)
    {
        var name = item.Text("ParameterName") ?? throw Invalid("The parameter ParameterName must be provided and must not be blank.");
        var parameter = PostgresParameters.Require(family, name);
        var value = item.Text("ParameterValue") ?? throw Invalid("The parameter ParameterValue must be provided and must not be blank.");
        if (!parameter.IsModifiable)
        {
            throw Invalid($"The parameter {name} cannot be modified.");
        }
        if (!parameter.Takes(value))
        {
            throw Invalid($"Invalid parameter value: {value} for: {name} allowed values are: {parameter.Allowed}");
        }
        return parameter.IsStatic && item.Text("ApplyMethod") == "immediate" ? throw Conflict("cannot use immediate apply method for static parameter") : parameter;
    }

    private JsonObject ChangeParameters(RequestContext context, JsonObject group, List<PostgresParameter> changed, Action<JsonObject> change)
    {
        var name = group.Required("DBParameterGroupName");
        ParameterGroups(context).Update(Key(name), document => change(document.ChildOrNew("_Values")));
        foreach (var instance in Instances(context).Where(item => item.Objects("DBParameterGroups").Any(member => member.Text("DBParameterGroupName") == name)))
        {
            var waits = changed.Exists(parameter => parameter.IsStatic);
            SetParameterStatus(context, instance, waits ? "pending-reboot" : "applying");
            if (!waits)
            {
                Later(context, Durations.RdsParametersApply, instance, document => SetStatus(document, "applying", "in-sync"));
            }
        }
        Record(context, "db-parameter-group", name, group.Required("DBParameterGroupArn"), $"Updated parameter {string.Join(", ", changed.Select(parameter => parameter.Name))}", "configuration change");
        return new JsonObject { ["DBParameterGroupName"] = name };
    }

    private void SetParameterStatus(RequestContext context, JsonObject instance, string status) =>
        Instances(context).Update(Key(instance.Required("DBInstanceIdentifier")), document => SetStatus(document, null, status));

    private static void SetStatus(JsonObject instance, string? from, string to)
    {
        foreach (var member in instance.Objects("DBParameterGroups").Where(member => from is null || member.Text("ParameterApplyStatus") == from))
        {
            member["ParameterApplyStatus"] = to;
        }
    }
}
