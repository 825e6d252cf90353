using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>The database: encrypted in every stage, whatever else varies; reached by the application, which may read exactly its secret.</summary>
public sealed class DatabaseStackTests
{
    private static Task<EvaluatedStack> EvaluateAsync(string stage = "prod", params (string, string)[] parameters) =>
        StackFixture.EvaluateAsync(stage, parameters: [("DatabaseEnabled", "true"), .. parameters]);

    [Theory]
    [InlineData("dev", "true")]
    [InlineData("dev", "false")]
    [InlineData("prod", "true")]
    [InlineData("prod", "false")]
    public async Task Encryption_does_not_follow_Multi_AZ_or_the_stage(string stage, string multiAz)
    {
        var database = (await EvaluateAsync(stage, ("DatabaseMultiAz", multiAz))).Find("Database/Database");
        Assert.Equal(multiAz, database.Text("MultiAZ"));
        Assert.Equal("true", database.Text("StorageEncrypted"));
        Assert.True(database.At("KmsKeyId")!.ComesFrom("Security/Key"));
        Assert.True(database.At("PerformanceInsightsKMSKeyId")!.ComesFrom("Security/Key"));
        Assert.True(database.At("MasterUserSecret.KmsKeyId")!.ComesFrom("Security/Key"));
        Assert.Equal("true", database.Text("ManageMasterUserPassword"));
        Assert.Null(database.At("MasterUserPassword"));
        Assert.Equal("false", database.Text("PubliclyAccessible"));
    }

    [Fact]
    public async Task Has_what_the_document_asks_for()
    {
        var stack = await EvaluateAsync();
        var database = stack.Find("Database/Database");
        Assert.Equal("7", database.Text("BackupRetentionPeriod"));
        Assert.Equal("true", database.Text("EnablePerformanceInsights"));
        Assert.Equal("7", database.Text("PerformanceInsightsRetentionPeriod"));
        Assert.Equal("60", database.Text("MonitoringInterval"));
        Assert.True(database.At("MonitoringRoleArn")!.ComesFrom("Database/MonitoringRole"));
        Assert.Equal(["postgresql", "upgrade"], database.At("EnableCloudwatchLogsExports")!.Items.Select(i => i.AsString()));
        Assert.Equal("gp3", database.Text("StorageType"));
        Assert.Equal("true", database.Text("CopyTagsToSnapshot"));
        var group = stack.Find("Database/ParameterGroup");
        Assert.Equal("postgres17", group.Text("Family"));
        Assert.Equal("1", group.At("Parameters")!["rds.force_ssl"]!.AsString());
        Assert.Equal("TLSv1.2", group.At("Parameters")!["ssl_min_protocol_version"]!.AsString());
    }

    [Fact]
    public async Task Log_groups_stand_before_the_instance_would_make_its_own()
    {
        var stack = await EvaluateAsync();
        var name = stack.Find("Database/Database").Text("DBInstanceIdentifier");
        Assert.Equal(
            [$"/aws/rds/instance/{name}/postgresql", $"/aws/rds/instance/{name}/upgrade"],
            stack.OfType("AWS::Logs::LogGroup").Where(g => g.Path.StartsWith("Database/", StringComparison.Ordinal)).Select(g => g.Text("LogGroupName")).Order());
        Assert.Superset(new HashSet<string> { "PostgresqlLogGroup", "UpgradeLogGroup" }, stack.Find("Database/Database").DependsOn.ToHashSet());
    }

    [Theory]
    [InlineData("true", "Snapshot", "false")]
    [InlineData("false", "Delete", "true")]
    public async Task A_final_snapshot_is_taken_where_data_is_retained(string retain, string policy, string deleteBackups)
    {
        var stack = await EvaluateAsync("prod", ("RetainData", retain), ("DatabaseReplicas", "2"));
        var database = stack.Find("Database/Database");
        Assert.Equal(policy, database.DeletionPolicy);
        Assert.Equal(policy, database.UpdateReplacePolicy);
        Assert.Equal(deleteBackups, database.Text("DeleteAutomatedBackups"));
        Assert.Equal("Delete", stack.Find("Database/Replica1").DeletionPolicy);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Has_as_many_replicas_as_are_asked_for(int replicas)
    {
        var stack = await EvaluateAsync("prod", ("DatabaseReplicas", $"{replicas}"));
        var found = stack.OfType("AWS::RDS::DBInstance").Where(r => r.LogicalId != "Database").ToList();
        Assert.Equal(replicas, found.Count);
        Assert.All(found, r => Assert.Equal("inferloop-demo-prod", r.Text("SourceDBInstanceIdentifier")));
        Assert.All(found, r => Assert.Null(r.At("KmsKeyId")));
        Assert.Equal(replicas > 0, stack.Outputs.ContainsKey("DatabaseReplicaAddresses"));
        Assert.True(found.Select(r => r.Text("DBInstanceIdentifier")).Distinct().Count() == replicas);
    }

    [Theory]
    [InlineData("13.7", "postgres13")]
    [InlineData("17", "postgres17")]
    [InlineData("16.10", "postgres16")]
    public async Task The_parameter_group_is_of_the_version_s_family(string version, string family) =>
        Assert.Equal(family, (await EvaluateAsync("prod", ("DatabaseEngineVersion", version))).Find("Database/ParameterGroup").Text("Family"));

    [Fact]
    public async Task A_restored_database_says_nothing_that_the_snapshot_says()
    {
        var database = (await EvaluateAsync("prod", ("DatabaseSnapshotIdentifier", "rds:demo-2026-10-01"))).Find("Database/Database");
        Assert.Equal("rds:demo-2026-10-01", database.Text("DBSnapshotIdentifier"));
        foreach (var property in new[] { "DBName", "MasterUsername", "StorageEncrypted", "KmsKeyId" })
        {
            Assert.Null(database.At(property));
        }
    }

    [Fact]
    public async Task The_application_is_told_of_its_own_database_and_may_read_exactly_its_secret()
    {
        var stack = await EvaluateAsync();
        var container = stack.Find("Ecs/TaskDefinition").At("ContainerDefinitions.0")!;
        Assert.True(container["Environment"]!.Items.Single(e => e["Name"]!.AsString() == "DATABASE_HOST")["Value"]!.ComesFrom("Database/Database"));
        foreach (var name in new[] { "DATABASE_USERNAME", "DATABASE_PASSWORD" })
        {
            Assert.True(container["Secrets"]!.Items.Single(e => e["Name"]!.AsString() == name)["ValueFrom"]!.ComesFrom("Database/Database"));
        }

        var statements = stack.Find("Database/ExecutionSecretAccess").At("PolicyDocument.Statement")!.Items;
        Assert.Equal(["secretsmanager:GetSecretValue", "kms:Decrypt"], statements.Select(s => s["Action"]!.AsString()));
        Assert.True(statements[0]["Resource"]!.ComesFrom("Database/Database"));
        Assert.True(statements[1]["Resource"]!.ComesFrom("Security/Key"));
        Assert.True(stack.Find("Database/ExecutionSecretAccess").At("RoleName")!.ComesFrom("Security/TaskExecutionRole"));
    }

    [Fact]
    public async Task A_database_made_elsewhere_wins()
    {
        const string Secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf";
        var stack = await EvaluateAsync("prod", ("DatabaseHost", "db.local"), ("DatabaseSecretArn", Secret));
        var container = stack.Find("Ecs/TaskDefinition").At("ContainerDefinitions.0")!;
        Assert.Equal("db.local", container["Environment"]!.Items.Single(e => e["Name"]!.AsString() == "DATABASE_HOST")["Value"]!.AsString());
        Assert.Equal(Secret + ":password::", container["Secrets"]!.Items.Single(e => e["Name"]!.AsString() == "DATABASE_PASSWORD")["ValueFrom"]!.AsString());
    }

    [Fact]
    public async Task Names_keep_within_their_limits()
    {
        var stack = await StackFixture.EvaluateAsync("staging", StackFixture.LongestName, parameters: [("DatabaseEnabled", "true"), ("DatabaseReplicas", "5")]);
        Assert.All(stack.OfType("AWS::RDS::DBInstance"), r => Assert.InRange(r.Text("DBInstanceIdentifier")!.Length, 1, 63));
    }
}
