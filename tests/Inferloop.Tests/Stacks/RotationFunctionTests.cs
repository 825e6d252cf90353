using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Inferloop.Tests.Stacks;

/// <summary>
/// The rotation function that the template carries, run by Python: Secrets Manager's four steps, a cache behind TLS that learns the
/// password, and the trap of the first infrastructure, whose rotation replaced the whole JSON and told no one.
/// </summary>
public sealed class RotationFunctionTests : IDisposable
{
    private const string Jwt = "arn:aws:secretsmanager:us-east-1:123456789012:secret:jwt-AbCdEf";
    private const string Keys = "arn:aws:secretsmanager:us-east-1:123456789012:secret:keys-AbCdEf";
    private const string Cache = "arn:aws:secretsmanager:us-east-1:123456789012:secret:cache-AbCdEf";
    private const string New = "11111111-2222-3333-4444-555555555555";
    private static readonly string[] s_steps = ["createSecret", "setSecret", "testSecret", "finishSecret"];

    private readonly string folder = Directory.CreateTempSubdirectory("inferloop-rotation-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(Jwt, "secret", """{"algorithm":"HS256","secret":"old-value-of-the-signing-key-that-is-long"}""", true)]
    [InlineData(Keys, "primary", """{"primary":"old-key","partner":"kept"}""", false)]
    public async Task One_field_changes_the_others_stay_and_tasks_take_the_new_value(string arn, string field, string old, bool restarts)
    {
        var result = await RunAsync(arn, old, s_steps);
        Assert.Empty(result["failures"]!.AsArray());
        var (before, after) = (JsonNode.Parse(old)!.AsObject(), Current(result, arn));
        Assert.NotEqual(before[field]!.GetValue<string>(), after[field]!.GetValue<string>());
        Assert.True(after[field]!.GetValue<string>().Length >= Math.Max(32, before[field]!.GetValue<string>().Length));
        foreach (var other in before.Where(p => p.Key != field))
        {
            Assert.Equal(other.Value!.ToJsonString(), after[other.Key]!.ToJsonString());
        }

        Assert.Equal(before.Count, after.Count);
        Assert.Equal(restarts ? ["put_secret_value", "update_secret_version_stage", "update_service demo-prod/synthdata"] : ["put_secret_value", "update_secret_version_stage"], Calls(result));
        Assert.Equal("AWSPREVIOUS", result["state"]!["secrets"]![arn]!["old"]!["stages"]![0]!.GetValue<string>());
    }

    [Theory]
    [InlineData("", "modify_replication_group")]
    [InlineData("inferloop-demo-prod", "modify_user")]
    public async Task The_cache_is_told_before_the_secret_changes_hands_and_still_takes_the_old_password(string user, string told)
    {
        var result = await RunAsync(Cache, """{"username":"default","password":"old-password"}""", s_steps, user);
        Assert.Empty(result["failures"]!.AsArray());
        var password = Current(result, Cache)["password"]!.GetValue<string>();
        Assert.Equal(["old-password", password], result["state"]!["accepted"]!.AsArray().Select(p => p!.GetValue<string>()));
        Assert.Equal("default", Current(result, Cache)["username"]!.GetValue<string>());
        Assert.Equal(["put_secret_value", told, "update_secret_version_stage", "update_service demo-prod/synthdata"], Calls(result));
    }

    [Fact]
    public async Task Every_step_may_be_called_again()
    {
        var result = await RunAsync(Cache, """{"username":"default","password":"old-password"}""", [.. s_steps.SelectMany(s => new[] { s, s })]);
        Assert.Empty(result["failures"]!.AsArray());
        Assert.Equal(
            ["put_secret_value", "modify_replication_group", "update_secret_version_stage", "update_service demo-prod/synthdata", "update_service demo-prod/synthdata"], Calls(result));
    }

    [Fact]
    public async Task A_cache_that_was_not_told_fails_the_test_and_nothing_changes_hands()
    {
        var result = await RunAsync(Cache, """{"username":"default","password":"old-password"}""", ["createSecret", "testSecret"]);
        Assert.Equal(["testSecret: the cache does not take the new password"], result["failures"]!.AsArray().Select(f => f!.GetValue<string>()));
        Assert.Equal("old-password", Current(result, Cache)["password"]!.GetValue<string>());
    }

    [Fact]
    public async Task The_trial_of_a_new_schedule_passes_with_the_same_value()
    {
        const string Value = """{"algorithm":"HS256","secret":"old"}""";
        var result = await RunAsync(Jwt, Value, ["testSecret"], pending: Value);
        Assert.Empty(result["failures"]!.AsArray());
    }

    [Fact]
    public async Task A_pending_version_that_changes_another_field_is_refused()
    {
        var result = await RunAsync(Jwt, """{"algorithm":"HS256","secret":"old"}""", ["testSecret"], pending: """{"secret":"new"}""");
        Assert.Contains("changes something else", Assert.Single(result["failures"]!.AsArray())!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tasks_that_could_not_be_replaced_are_replaced_by_the_next_attempt()
    {
        var result = await RunAsync(Jwt, """{"algorithm":"HS256","secret":"old"}""", [.. s_steps, "finishSecret"], serviceFails: 1);
        Assert.Equal(["finishSecret: the service could not be updated"], result["failures"]!.AsArray().Select(f => f!.GetValue<string>()));
        Assert.Equal(2, Calls(result).Count(c => c.StartsWith("update_service", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_rotation_by_RDS_replaces_the_tasks()
    {
        var result = await RunAsync(Jwt, "{}", [], events: new JsonArray(new JsonObject { ["detail"] = new JsonObject { ["eventName"] = "RotationSucceeded" } }));
        Assert.Empty(result["failures"]!.AsArray());
        Assert.Equal(["update_service demo-prod/synthdata"], Calls(result));
    }

    [Fact]
    public async Task A_secret_that_is_not_its_own_is_refused()
    {
        var result = await RunAsync(Jwt, "{}", [], events: new JsonArray(new JsonObject { ["SecretId"] = "arn:aws:secretsmanager:us-east-1:123456789012:secret:other", ["ClientRequestToken"] = New, ["Step"] = "createSecret" }));
        Assert.Contains("no rotation is known", Assert.Single(result["failures"]!.AsArray())!.GetValue<string>(), StringComparison.Ordinal);
    }

    private async Task<JsonNode> RunAsync(
        string arn, string old, IEnumerable<string> steps, string user = "", string? pending = null, int serviceFails = 0, JsonArray? events = null)
    {
        var python = ExternalTool.Require("python3");
        var cancellation = TestContext.Current.CancellationToken;
        var code = (await StackFixture.EvaluateAsync(parameters: [("RotationEnabled", "true")])).Find("Rotation/Function").Text("Code.ZipFile");
        await File.WriteAllTextAsync(Path.Combine(folder, "index.py"), code, cancellation);
        var source = Path.Combine(Repository.Root, "tests", "Inferloop.Tests", "Stacks", "Rotation");
        foreach (var file in new[] { "boto3.py", "driver.py" })
        {
            File.Copy(Path.Combine(source, file), Path.Combine(folder, file), overwrite: true);
        }

        var (certificate, key) = Certificate();
        var given = new JsonObject
        {
            ["certificate"] = certificate,
            ["key"] = key,
            ["state"] = new JsonObject
            {
                ["accepted"] = new JsonArray("old-password"),
                ["service_fails"] = serviceFails,
                ["secrets"] = new JsonObject
                {
                    [arn] = new JsonObject
                    {
                        ["old"] = new JsonObject { ["value"] = old, ["stages"] = new JsonArray("AWSCURRENT") },
                        [New] = new JsonObject { ["value"] = pending, ["stages"] = new JsonArray("AWSPENDING") },
                    },
                },
            },
            ["events"] = events ?? new JsonArray([.. steps.Select(s => (JsonNode)new JsonObject { ["SecretId"] = arn, ["ClientRequestToken"] = New, ["Step"] = s })]),
        };
        var input = Path.Combine(folder, "given.json");
        await File.WriteAllTextAsync(input, given.ToJsonString(), cancellation);
        var run = await ExternalTool.RunAsync(
            python, [Path.Combine(folder, "driver.py"), input],
            new Dictionary<string, string?>
            {
                ["JWT_SECRET_ARN"] = Jwt, ["API_KEYS_SECRET_ARN"] = Keys, ["CACHE_SECRET_ARN"] = Cache, ["CACHE_GROUP"] = "demo", ["CACHE_USER"] = user,
                ["CACHE_HOST"] = "localhost", ["CLUSTER"] = "demo-prod", ["SERVICE"] = "synthdata", ["SSL_CERT_FILE"] = certificate, ["PYTHONDONTWRITEBYTECODE"] = "1",
            },
            cancellation);
        Assert.DoesNotContain("old-password", run.Error, StringComparison.Ordinal);
        return JsonNode.Parse(run.EnsureSuccess().Output)!;
    }

    private (string Certificate, string Key) Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var (certificatePath, keyPath) = (Path.Combine(folder, "certificate.pem"), Path.Combine(folder, "key.pem"));
        File.WriteAllText(certificatePath, certificate.ExportCertificatePem());
        File.WriteAllText(keyPath, key.ExportPkcs8PrivateKeyPem());
        return (certificatePath, keyPath);
    }

    private static JsonObject Current(JsonNode result, string arn) => JsonNode.Parse(
        result["state"]!["secrets"]![arn]!.AsObject().Single(v => v.Value!["stages"]!.AsArray().Any(s => s!.GetValue<string>() == "AWSCURRENT")).Value!["value"]!.GetValue<string>())!.AsObject();

    private static List<string> Calls(JsonNode result) => [.. result["calls"]!.AsArray().Select(c => c!.GetValue<string>())];
}
