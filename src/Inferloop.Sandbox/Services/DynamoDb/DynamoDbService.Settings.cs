using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>What a table carries beside its schema: expiry, backups, insights, tags, policy.</summary>
internal sealed partial class DynamoDbService
{
    private static readonly TimeSpan ExpirySweep = TimeSpan.FromMinutes(30);

    private JsonObject DescribeTimeToLive(RequestContext context, JsonObject input)
    {
        var table = Table(context, input.Required("TableName"));
        return new JsonObject { ["TimeToLiveDescription"] = table["_TimeToLive"].Copy() ?? new JsonObject { ["TimeToLiveStatus"] = "DISABLED" } };
    }

    private JsonObject UpdateTimeToLive(RequestContext context, JsonObject input)
    {
        var table = Table(context, input.Required("TableName"));
        RequireActive(table, "updated", allowUpdating: true);
        var specification = input.Child("TimeToLiveSpecification")!;
        var attribute = specification.Required("AttributeName");
        var present = table.Child("_TimeToLive");
        var isEnabled = present?.Text("TimeToLiveStatus") == "ENABLED";
        if (specification.Is("Enabled") == isEnabled)
        {
            throw Invalid(isEnabled ? "TimeToLive is already enabled" : "TimeToLive is already disabled");
        }
        if (!specification.Is("Enabled") && present?.Text("AttributeName") != attribute)
        {
            throw Invalid($"TimeToLive is active on a different AttributeName: current AttributeName is {present?.Text("AttributeName")}");
        }
        var name = table.Required("TableName");
        Tables(context).Update(name, document => document["_TimeToLive"] = specification.Is("Enabled")
            ? new JsonObject { ["TimeToLiveStatus"] = "ENABLED", ["AttributeName"] = attribute }
            : new JsonObject { ["TimeToLiveStatus"] = "DISABLED" });
        foreach (var region in RegionsOf(table).Where(region => region != context.Region))
        {
            // A setting that all members of a global table share; items that expire are deleted in one region and the deletion replicates.
            Tables(context.InRegion(region)).Update(name, document => document.With("_TimeToLive", Tables(context).Get(name)!["_TimeToLive"].Copy()));
        }
        if (specification.Is("Enabled"))
        {
            Runtime.After(ExpirySweep, () => Expire(context, name, table.Required("TableId")));
        }
        return new JsonObject { ["TimeToLiveSpecification"] = specification.Copy() };
    }

    /// <summary>Removes what has expired, as AWS does some time after the moment.</summary>
    private void Expire(RequestContext context, string name, string id)
    {
        var table = Tables(context).Get(name);
        if (table?.Text("TableId") != id || table.Child("_TimeToLive") is not { } expiry || expiry.Text("AttributeName") is not { } attribute
            || !stores.TryGetValue((context.AccountId, context.Region, name), out var store))
        {
            return;
        }
        var now = AttributeValue.Of(DynamoNumber.FromLong(context.Now.ToUnixTimeSeconds()));
        lock (store.Gate)
        {
            var expired = store.Items.Scan(0, 1, null)
                .Where(stored => stored.Item.TryGetValue(attribute, out var at) && at.Kind == AttributeKind.N && at.CompareTo(now) < 0).ToList();
            foreach (var stored in expired)
            {
                store.Remove(new PrimaryKey(stored.Partition, stored.Sort), ChangeCause.Expiry);
            }
        }
        Runtime.After(ExpirySweep, () => Expire(context, name, id));
    }

    private JsonObject DescribeContinuousBackups(RequestContext context, JsonObject input) =>
        new() { ["ContinuousBackupsDescription"] = ContinuousBackups(context, Table(context, input.Required("TableName"))) };

    private JsonObject UpdateContinuousBackups(RequestContext context, JsonObject input)
    {
        var table = Table(context, input.Required("TableName"));
        RequireActive(table, "updated", allowUpdating: true);
        var specification = input.Child("PointInTimeRecoverySpecification")!;
        var updated = Tables(context).Update(table.Required("TableName"), document =>
        {
            if (!specification.Is("PointInTimeRecoveryEnabled"))
            {
                document.Remove("_PointInTimeRecovery");
                SetHistory(context, document, null);
            }
            else
            {
                var recovery = document.ChildOrNew("_PointInTimeRecovery");
                recovery["RecoveryPeriodInDays"] = specification.Int("RecoveryPeriodInDays") ?? 35;
                if (!recovery.Has("Since"))
                {
                    recovery["Since"] = Documents.Time(context.Now);
                }
                SetHistory(context, document, TimeSpan.FromDays(recovery.Int("RecoveryPeriodInDays") ?? 35));
            }
        })!;
        return new JsonObject { ["ContinuousBackupsDescription"] = ContinuousBackups(context, updated) };
    }

    private void SetHistory(RequestContext context, JsonObject table, TimeSpan? period)
    {
        var store = Store(context, table.Required("TableName"));
        lock (store.Gate)
        {
            if (period is null)
            {
                if (store.History is { } history)
                {
                    store.Changed -= history.Record;
                }
                store.History = null;
                return;
            }
            if (store.History is null)
            {
                store.History = new TableHistory(Runtime.Clock);
                store.Changed += store.History.Record;
            }
            store.History.Period = period.Value;
        }
    }

    private static JsonObject ContinuousBackups(RequestContext context, JsonObject table)
    {
        var recovery = new JsonObject { ["PointInTimeRecoveryStatus"] = "DISABLED" };
        if (table.Child("_PointInTimeRecovery") is { } settings)
        {
            var days = settings.Int("RecoveryPeriodInDays") ?? 35;
            var since = settings.TimeOf("Since") ?? context.Now;
            var earliest = context.Now.AddDays(-days) > since ? context.Now.AddDays(-days) : since;
            recovery = new JsonObject
            {
                ["PointInTimeRecoveryStatus"] = "ENABLED",
                ["RecoveryPeriodInDays"] = days,
                ["EarliestRestorableDateTime"] = Documents.Time(earliest),
                ["LatestRestorableDateTime"] = Documents.Time(context.Now.AddMinutes(-5) > earliest ? context.Now.AddMinutes(-5) : earliest),
            };
        }
        return new JsonObject { ["ContinuousBackupsStatus"] = "ENABLED", ["PointInTimeRecoveryDescription"] = recovery };
    }

    private JsonObject DescribeContributorInsights(RequestContext context, JsonObject input)
    {
        var table = Table(context, input.Required("TableName"));
        return new JsonObject { ["TableName"] = table.Text("TableName"), ["ContributorInsightsStatus"] = table.Text("_ContributorInsights") ?? "DISABLED" }
            .Take(input, "IndexName");
    }

    private JsonObject UpdateContributorInsights(RequestContext context, JsonObject input)
    {
        var table = Table(context, input.Required("TableName"));
        var status = input.Text("ContributorInsightsAction") == "ENABLE" ? "ENABLED" : "DISABLED";
        Tables(context).Update(table.Required("TableName"), document => document["_ContributorInsights"] = status);
        return new JsonObject { ["TableName"] = table.Text("TableName"), ["ContributorInsightsStatus"] = status }.Take(input, "IndexName");
    }

    private JsonObject TagResource(RequestContext context, JsonObject input)
    {
        var table = TableOfArn(context, input.Required("ResourceArn"));
        Services.Tags.Check(input.Objects("Tags"));
        Tables(context).Update(table.Required("TableName"), document => Services.Tags.Put(document, "_Tags", input.Objects("Tags")));
        return [];
    }

    private JsonObject UntagResource(RequestContext context, JsonObject input)
    {
        var table = TableOfArn(context, input.Required("ResourceArn"));
        Tables(context).Update(table.Required("TableName"), document => Services.Tags.Remove(document, "_Tags", input.Texts("TagKeys")));
        return [];
    }

    private JsonObject ListTagsOfResource(RequestContext context, JsonObject input) =>
        new() { ["Tags"] = TableOfArn(context, input.Required("ResourceArn"))["_Tags"].Copy() ?? new JsonArray() };

    private JsonObject GetResourcePolicy(RequestContext context, JsonObject input)
    {
        var table = TableOfArn(context, input.Required("ResourceArn"));
        return table.Text("_ResourcePolicy") is { } policy
            ? new JsonObject { ["Policy"] = policy, ["RevisionId"] = RevisionOf(policy) }
            : throw new ServiceFault("PolicyNotFoundException", $"Resource-based policy not found for the provided ResourceArn: Requested policy not found: {input.Text("ResourceArn")}");
    }

    private JsonObject PutResourcePolicy(RequestContext context, JsonObject input)
    {
        var table = TableOfArn(context, input.Required("ResourceArn"));
        Tables(context).Update(table.Required("TableName"), document => document["_ResourcePolicy"] = input.Text("Policy"));
        return new JsonObject { ["RevisionId"] = RevisionOf(input.Required("Policy")) };
    }

    private JsonObject DeleteResourcePolicy(RequestContext context, JsonObject input)
    {
        var table = TableOfArn(context, input.Required("ResourceArn"));
        Tables(context).Update(table.Required("TableName"), document => document.Remove("_ResourcePolicy"));
        return [];
    }

    /// <summary>A revision that changes with the text.</summary>
    private static string RevisionOf(string policy) => BitConverter.ToUInt64(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(policy)))
        .ToString(CultureInfo.InvariantCulture);

    private JsonObject TableOfArn(RequestContext context, string arn) => arn.StartsWith("arn:", StringComparison.Ordinal)
        ? Table(context, arn)
        : throw Invalid($"Invalid TableArn: Invalid ResourceArn provided as input {arn}");
}
