using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Services.Data;

/// <summary>Backups on demand, recovery to a point in time, and what a restored table has and has not.</summary>
public sealed class TableRecoveryTests : ServiceTestBase
{
    private async Task CreateTable()
    {
        await Call("dynamodb", "CreateTable", """
            {"TableName":"jobs","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"state","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
             "GlobalSecondaryIndexes":[{"IndexName":"by-state","KeySchema":[{"AttributeName":"state","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}],
             "BillingMode":"PAY_PER_REQUEST","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"},"Tags":[{"Key":"a","Value":"b"}]}
            """);
        Pass(TimeSpan.FromSeconds(15));
    }

    private Task<JsonObject> Put(string id, string state) => Call("dynamodb", "PutItem", $$$"""{"TableName":"jobs","Item":{"id":{"S":"{{{id}}}"},"state":{"S":"{{{state}}}"} } }""");

    private Task<JsonObject> Delete(string id) => Call("dynamodb", "DeleteItem", $$$"""{"TableName":"jobs","Key":{"id":{"S":"{{{id}}}"} } }""");

    private async Task<string> Contents(string table) => string.Join(" ", (await Call("dynamodb", "Scan", $$"""{"TableName":"{{table}}"}""")).Objects("Items")
        .Select(item => $"{item["id"]!["S"]}={item["state"]!["S"]}").Order(StringComparer.Ordinal));

    private async Task<JsonObject> Describe(string table) => (JsonObject)(await Call("dynamodb", "DescribeTable", $$"""{"TableName":"{{table}}"}"""))["Table"]!;

    private Task<JsonObject> RestoreTo(string table, DateTimeOffset moment) => Call("dynamodb", "RestoreTableToPointInTime",
        new JsonObject { ["SourceTableName"] = "jobs", ["TargetTableName"] = table, ["RestoreDateTime"] = Documents.Time(moment) }.ToJsonString());

    [Fact]
    public async Task A_table_is_restored_as_it_was_at_each_of_several_moments()
    {
        await CreateTable();
        await Put("before", "kept");
        await Call("dynamodb", "UpdateContinuousBackups", """{"TableName":"jobs","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}""");
        var moments = new List<(DateTimeOffset At, string Contents)>();
        async Task Mark()
        {
            Pass(TimeSpan.FromMinutes(10));
            moments.Add((Runtime.Clock.Now, await Contents("jobs")));
            Pass(TimeSpan.FromMinutes(10));
        }
        await Mark();
        await Put("a", "new");
        await Mark();
        await Put("a", "changed");
        await Put("b", "new");
        await Mark();
        await Delete("a");
        await Call("dynamodb", "TransactWriteItems", """{"TransactItems":[{"Put":{"TableName":"jobs","Item":{"id":{"S":"c"},"state":{"S":"new"}}}},{"Delete":{"TableName":"jobs","Key":{"id":{"S":"before"}}}}]}""");
        await Mark();
        Assert.Equal(["before=kept", "a=new before=kept", "a=changed b=new before=kept", "b=new c=new"], moments.Select(moment => moment.Contents));
        for (var i = 0; i < moments.Count; i++)
        {
            Assert.Equal("CREATING", (string?)(await RestoreTo("restored" + i, moments[i].At))["TableDescription"]!["TableStatus"]);
        }
        Pass(TimeSpan.FromMinutes(20));
        for (var i = 0; i < moments.Count; i++)
        {
            Assert.Equal(moments[i].Contents, await Contents("restored" + i));
        }
        var restored = await Describe("restored1");
        Assert.Equal("ACTIVE", restored.Text("TableStatus"));
        Assert.False(restored.Child("RestoreSummary")!.Is("RestoreInProgress"));
        Assert.Equal("PAY_PER_REQUEST", restored.Child("BillingModeSummary")!.Text("BillingMode"));
        Assert.False(restored.ContainsKey("StreamSpecification"));
        Assert.Equal(1, (int?)(await Call("dynamodb", "Query", """{"TableName":"restored1","IndexName":"by-state","KeyConditionExpression":"#s = :s","ExpressionAttributeNames":{"#s":"state"},"ExpressionAttributeValues":{":s":{"S":"new"}}}"""))["Count"]);
        Assert.Empty((await Call("dynamodb", "ListTagsOfResource", $$"""{"ResourceArn":"{{restored.Text("TableArn")}}"}""")).Objects("Tags"));
    }

    [Fact]
    public async Task Only_moments_within_the_window_can_be_restored_and_only_with_recovery_on()
    {
        await CreateTable();
        Assert.Equal("PointInTimeRecoveryUnavailableException", (await Fails("dynamodb", "RestoreTableToPointInTime", """{"SourceTableName":"jobs","TargetTableName":"new","UseLatestRestorableTime":true}""")).Code);
        await Call("dynamodb", "UpdateContinuousBackups", """{"TableName":"jobs","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true,"RecoveryPeriodInDays":1}}""");
        var start = Runtime.Clock.Now;
        await Put("a", "first");
        Pass(TimeSpan.FromHours(30));
        string At(DateTimeOffset moment) => new JsonObject { ["SourceTableName"] = "jobs", ["TargetTableName"] = "new", ["RestoreDateTime"] = Documents.Time(moment) }.ToJsonString();
        Assert.Equal("InvalidRestoreTimeException", (await Fails("dynamodb", "RestoreTableToPointInTime", At(start))).Code);
        Assert.Equal("InvalidRestoreTimeException", (await Fails("dynamodb", "RestoreTableToPointInTime", At(Runtime.Clock.Now))).Code);
        Assert.Equal("TableNotFoundException", (await Fails("dynamodb", "RestoreTableToPointInTime", """{"SourceTableName":"none","TargetTableName":"new","UseLatestRestorableTime":true}""")).Code);
        Assert.Equal("TableAlreadyExistsException", (await Fails("dynamodb", "RestoreTableToPointInTime", """{"SourceTableName":"jobs","TargetTableName":"jobs","UseLatestRestorableTime":true}""")).Code);
        await Call("dynamodb", "RestoreTableToPointInTime", """{"SourceTableName":"jobs","TargetTableName":"new","UseLatestRestorableTime":true,"GlobalSecondaryIndexOverride":[],"BillingModeOverride":"PROVISIONED","ProvisionedThroughputOverride":{"ReadCapacityUnits":3,"WriteCapacityUnits":4}}""");
        Pass(TimeSpan.FromMinutes(20));
        var restored = await Describe("new");
        Assert.False(restored.ContainsKey("GlobalSecondaryIndexes"));
        Assert.Equal(4, restored.Child("ProvisionedThroughput")!.Long("WriteCapacityUnits"));
        Assert.Equal("a=first", await Contents("new"));
    }

    [Fact]
    public async Task A_backup_keeps_what_the_table_held_even_when_the_table_is_gone()
    {
        await CreateTable();
        await Put("a", "one");
        await Put("b", "one");
        var details = (await Call("dynamodb", "CreateBackup", """{"TableName":"jobs","BackupName":"nightly"}""")).Child("BackupDetails")!;
        var arn = details.Required("BackupArn");
        Assert.Equal("CREATING", details.Text("BackupStatus"));
        await Put("a", "two");
        Assert.Equal("BackupInUseException", (await Fails("dynamodb", "RestoreTableFromBackup", $$"""{"BackupArn":"{{arn}}","TargetTableName":"new"}""")).Code);
        Pass(TimeSpan.FromMinutes(1));
        await Call("dynamodb", "DeleteTable", """{"TableName":"jobs"}""");
        Pass(TimeSpan.FromMinutes(1));
        var described = (await Call("dynamodb", "DescribeBackup", $$"""{"BackupArn":"{{arn}}"}""")).Child("BackupDescription")!;
        Assert.Equal("AVAILABLE", described.Child("BackupDetails")!.Text("BackupStatus"));
        Assert.Equal(2, described.Child("SourceTableDetails")!.Int("ItemCount"));
        Assert.Equal("by-state", described.Child("SourceTableFeatureDetails")!.Objects("GlobalSecondaryIndexes").Single().Text("IndexName"));
        await Call("dynamodb", "RestoreTableFromBackup", $$"""{"BackupArn":"{{arn}}","TargetTableName":"jobs"}""");
        Pass(TimeSpan.FromMinutes(20));
        Assert.Equal("a=one b=one", await Contents("jobs"));
        Assert.Equal(arn, (await Describe("jobs")).Child("RestoreSummary")!.Text("SourceBackupArn"));
        Assert.Equal("nightly", Assert.Single((await Call("dynamodb", "ListBackups", """{"TableName":"jobs"}""")).Objects("BackupSummaries")).Text("BackupName"));
        Assert.Equal("DELETED", (string?)(await Call("dynamodb", "DeleteBackup", $$"""{"BackupArn":"{{arn}}"}"""))["BackupDescription"]!["BackupDetails"]!["BackupStatus"]);
        Assert.Equal("BackupNotFoundException", (await Fails("dynamodb", "DescribeBackup", $$"""{"BackupArn":"{{arn}}"}""")).Code);
    }

    [Fact]
    public async Task A_deleted_table_with_recovery_on_leaves_a_backup_for_35_days()
    {
        await CreateTable();
        await Call("dynamodb", "UpdateContinuousBackups", """{"TableName":"jobs","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}""");
        await Put("a", "last");
        await Call("dynamodb", "DeleteTable", """{"TableName":"jobs"}""");
        Pass(TimeSpan.FromMinutes(1));
        var backup = Assert.Single((await Call("dynamodb", "ListBackups", """{"BackupType":"SYSTEM"}""")).Objects("BackupSummaries"));
        Assert.Equal("jobs$DeletedTableBackup", backup.Text("BackupName"));
        await Call("dynamodb", "RestoreTableFromBackup", $$"""{"BackupArn":"{{backup.Text("BackupArn")}}","TargetTableName":"back"}""");
        Pass(TimeSpan.FromMinutes(20));
        Assert.Equal("a=last", await Contents("back"));
        Pass(TimeSpan.FromDays(36));
        Assert.Empty((await Call("dynamodb", "ListBackups")).Objects("BackupSummaries"));
    }
}
