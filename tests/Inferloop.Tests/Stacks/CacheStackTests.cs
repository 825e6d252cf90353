using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>The cache: encrypted and behind a password in every stage, failing over where it has nodes to.</summary>
public sealed class CacheStackTests
{
    private static Task<EvaluatedStack> EvaluateAsync(params (string, string)[] parameters) =>
        StackFixture.EvaluateAsync(parameters: [("CacheEnabled", "true"), .. parameters]);

    [Theory]
    [InlineData("1", "false", "false", "false")]
    [InlineData("2", "false", "true", "false")]
    [InlineData("3", "true", "true", "true")]
    public async Task Fails_over_and_spans_zones_where_it_has_nodes_to_encrypted_always(string nodes, string multiAz, string failover, string spans)
    {
        var group = (await EvaluateAsync(("CacheNodes", nodes), ("CacheMultiAz", multiAz))).Find("Cache/ReplicationGroup");
        Assert.Equal(nodes, group.Text("NumCacheClusters"));
        Assert.Equal(failover, group.Text("AutomaticFailoverEnabled"));
        Assert.Equal(spans, group.Text("MultiAZEnabled"));
        Assert.Equal("true", group.Text("AtRestEncryptionEnabled"));
        Assert.Equal("true", group.Text("TransitEncryptionEnabled"));
        Assert.Equal("required", group.Text("TransitEncryptionMode"));
        Assert.True(group.At("KmsKeyId")!.ComesFrom("Security/Key"));
    }

    [Theory]
    [InlineData("redis", "6.2", "redis6.x")]
    [InlineData("redis", "7.1", "redis7")]
    [InlineData("valkey", "7.2", "valkey7")]
    [InlineData("valkey", "8.0", "valkey8")]
    public async Task The_parameter_group_is_of_the_version_s_family(string engine, string version, string family)
    {
        var stack = await EvaluateAsync(("CacheEngine", engine), ("CacheEngineVersion", version));
        Assert.Equal(family, stack.Find("Cache/ParameterGroup").Text("CacheParameterGroupFamily"));
        Assert.Equal(engine, stack.Find("Cache/ReplicationGroup").Text("Engine"));
    }

    [Theory]
    [InlineData("CacheEngine", "redis", "CacheEngineVersion", "8.0")]
    [InlineData("CacheEngine", "valkey", "CacheEngineVersion", "7.1")]
    [InlineData("CacheMultiAz", "true", "CacheNodes", "1")]
    public async Task Impossible_combinations_are_refused_before_anything_is_made(string first, string value, string second, string other) =>
        await Assert.ThrowsAsync<TemplateException>(() => EvaluateAsync((first, value), (second, other)));

    [Fact]
    public async Task The_token_comes_from_the_secret_by_reference()
    {
        var stack = await EvaluateAsync();
        var token = stack.Find("Cache/ReplicationGroup").At("AuthToken")!;
        Assert.True(token.ComesFrom("Cache/AuthSecret"));
        Assert.Empty(stack.OfType("AWS::ElastiCache::User"));
        Assert.Equal("Snapshot", stack.Find("Cache/ReplicationGroup").DeletionPolicy);
    }

    [Fact]
    public async Task Users_log_in_as_default_without_rights_of_administration()
    {
        var stack = await EvaluateAsync(("CacheAuthentication", "users"));
        Assert.Null(stack.Find("Cache/ReplicationGroup").At("AuthToken"));
        Assert.Equal(stack.Find("Cache/UserGroup").Text("UserGroupId"), stack.Find("Cache/ReplicationGroup").Text("UserGroupIds.0"));
        Assert.Equal(stack.Find("Cache/User").Text("UserId"), stack.Find("Cache/UserGroup").Text("UserIds.0"));
        Assert.Equal(stack.Find("Cache/User").Text("UserId"), stack.Outputs["CacheUserId"].Value.AsString());
        Assert.Equal("default", stack.Find("Cache/User").Text("UserName"));
        Assert.Contains("-@admin", stack.Find("Cache/User").Text("AccessString"), StringComparison.Ordinal);
        Assert.True(stack.Find("Cache/User").At("AuthenticationMode.Passwords.0")!.ComesFrom("Cache/AuthSecret"));
    }

    [Fact]
    public async Task The_application_is_told_of_its_own_cache_and_may_read_exactly_its_secret()
    {
        var stack = await EvaluateAsync();
        var container = stack.Find("Ecs/TaskDefinition").At("ContainerDefinitions.0")!;
        Assert.True(container["Environment"]!.Items.Single(e => e["Name"]!.AsString() == "CACHE_HOST")["Value"]!.ComesFrom("Cache/ReplicationGroup"));
        Assert.True(container["Secrets"]!.Items.Single(e => e["Name"]!.AsString() == "CACHE_PASSWORD")["ValueFrom"]!.ComesFrom("Cache/AuthSecret"));
        var statements = stack.Find("Cache/ExecutionSecretAccess").At("PolicyDocument.Statement")!.Items;
        Assert.Equal(["secretsmanager:GetSecretValue", "kms:Decrypt"], statements.Select(s => s["Action"]!.AsString()));
        Assert.True(statements[0]["Resource"]!.ComesFrom("Cache/AuthSecret"));
    }
}
