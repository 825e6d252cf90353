using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using Inferloop.Tests.Sandbox;
using Inferloop.Tests.Shell;

namespace Inferloop.Tests.Aws;

/// <summary>Credentials that are fetched from somewhere: each way is walked to its end, and the sandbox's STS says who came.</summary>
[Collection(nameof(AwsEnvironment))]
public sealed class CredentialChainTests(SandboxFixture sandbox)
{
    // An account whose IAM the sandbox does not hold: any role of it can be assumed.
    private const string Role = "arn:aws:iam::210987654321:role/Deployment";
    private const string Issued = "arn:aws:sts::210987654321:assumed-role/Deployment/issued";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Endpoint => sandbox.Host.Endpoint.ToString().TrimEnd('/');

    [Fact]
    public async Task A_profile_assumes_a_role_with_the_keys_of_another_profile()
    {
        using var environment = new AwsEnvironment(("AWS_ENDPOINT_URL", Endpoint));
        await File.WriteAllTextAsync(environment.CredentialsFile, $"[base]\naws_access_key_id={sandbox.Host.AccessKeyId}\naws_secret_access_key={sandbox.Host.SecretAccessKey}\n", Stop);
        await File.WriteAllTextAsync(environment.ConfigFile, $"[profile deploy]\nrole_arn={Role}\nrole_session_name=runbook\nsource_profile=base\nregion=eu-west-1\n", Stop);
        Assert.Equal("arn:aws:sts::210987654321:assumed-role/Deployment/runbook", await WhoAsync("-ProfileName deploy"));
    }

    [Fact]
    public async Task A_role_that_may_not_be_assumed_is_an_error_that_says_so()
    {
        using var environment = new AwsEnvironment(("AWS_ENDPOINT_URL", Endpoint));
        await File.WriteAllTextAsync(environment.CredentialsFile, $"[base]\naws_access_key_id={sandbox.Host.AccessKeyId}\naws_secret_access_key={sandbox.Host.SecretAccessKey}\n", Stop);
        await File.WriteAllTextAsync(environment.ConfigFile, $"[profile deploy]\nrole_arn=arn:aws:iam::{sandbox.Host.AccountId}:role/Absent\nsource_profile=base\nregion=eu-west-1\n", Stop);
        var result = await AskAsync("Get-InferloopIdentity -ProfileName deploy");
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("is not authorized to perform: sts:AssumeRole", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(sandbox.Host.SecretAccessKey, result.Error + result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_web_identity_token_as_GitHub_Actions_and_EKS_give_it()
    {
        using var environment = new AwsEnvironment(("AWS_ENDPOINT_URL", Endpoint), ("AWS_REGION", "us-east-1"), ("AWS_ROLE_ARN", Role), ("AWS_ROLE_SESSION_NAME", "workflow"));
        var token = Path.Combine(environment.Folder, "token");
        await File.WriteAllTextAsync(token, Jwt("repo:inferloop/synthdata:ref:refs/heads/main"), Stop);
        environment.Set("AWS_WEB_IDENTITY_TOKEN_FILE", token);
        Assert.Equal("arn:aws:sts::210987654321:assumed-role/Deployment/workflow", await WhoAsync());
    }

    [Fact]
    public async Task A_container_fetches_keys_from_its_agent()
    {
        var keys = await SessionKeysAsync();
        using var agent = new FakeEndpoint((request, _) => request.Headers["Authorization"] == "pod-token" ? (200, Json(keys)) : (403, "{}"));
        using var environment = new AwsEnvironment(
            ("AWS_ENDPOINT_URL", Endpoint), ("AWS_REGION", "us-east-1"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", $"http://127.0.0.1:{agent.Port}/v1/credentials"), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "pod-token"));
        Assert.Equal(Issued, await WhoAsync());
        Assert.Equal(["/v1/credentials"], agent.Paths);
    }

    [Fact]
    public async Task An_instance_fetches_the_keys_of_its_role_and_its_region()
    {
        var keys = await SessionKeysAsync();
        using var metadata = new FakeEndpoint((request, path) => (request.HttpMethod, path.TrimEnd('/')) switch
        {
            ("PUT", "/latest/api/token") => (200, "token"),
            (_, "/latest/meta-data/iam/security-credentials") => (200, "instance-role"),
            (_, "/latest/meta-data/iam/security-credentials/instance-role") => (200, Json(keys)),
            (_, "/latest/dynamic/instance-identity/document") => (200, """{ "region": "eu-central-1" }"""),
            _ => (404, ""),
        });
        using var environment = new AwsEnvironment(
            ("AWS_ENDPOINT_URL", Endpoint), ("AWS_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", $"http://127.0.0.1:{metadata.Port}"));
        Assert.Equal(Issued, await WhoAsync());
        Assert.Contains("/latest/api/token", metadata.Paths);
    }

    [Fact]
    public async Task A_profile_with_single_sign_on_uses_the_token_of_aws_sso_login()
    {
        var keys = await SessionKeysAsync();
        using var portal = new FakeEndpoint((request, path) => path == "/federation/credentials" && request.Headers["x-amz-sso_bearer_token"] == "signed-in"
            ? (200, $$"""{ "roleCredentials": { "accessKeyId": "{{keys.AccessKeyId}}", "secretAccessKey": "{{keys.SecretAccessKey}}", "sessionToken": "{{keys.SessionToken}}", "expiration": {{DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds()}} } }""")
            : (401, """{ "message": "Session token not found or invalid" }"""));
        using var environment = new AwsEnvironment(("AWS_ENDPOINT_URL", Endpoint), ("AWS_ENDPOINT_URL_SSO", $"http://127.0.0.1:{portal.Port}"));
        environment.Set("HOME", environment.Folder);
        var cache = Directory.CreateDirectory(Path.Combine(environment.Folder, ".aws", "sso", "cache")).FullName;

        // SHA-1 of the session's name, "work": where every SDK looks for its token.
        const string Token = "e274eeff768c6396088ec6eb091f4bf4d47ab1e0.json";
        await File.WriteAllTextAsync(
            Path.Combine(cache, Token),
            JsonSerializer.Serialize(new Dictionary<string, string>
            {
                ["accessToken"] = "signed-in", ["expiresAt"] = DateTime.UtcNow.AddHours(8).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
                ["region"] = "eu-west-1", ["startUrl"] = "https://inferloop.awsapps.com/start",
            }),
            Stop);
        await File.WriteAllTextAsync(
            environment.ConfigFile,
            "[sso-session work]\nsso_start_url=https://inferloop.awsapps.com/start\nsso_region=eu-west-1\nsso_registration_scopes=sso:account:access\n"
                + "[profile sso]\nsso_session=work\nsso_account_id=123456789012\nsso_role_name=Operator\nregion=eu-west-1\n",
            Stop);
        Assert.Equal(Issued, await WhoAsync("-ProfileName sso"));
        Assert.Contains("/federation/credentials", portal.Paths);
    }

    /// <summary>Temporary credentials, as agents, instances and portals give them.</summary>
    private async Task<Credentials> SessionKeysAsync()
    {
        using var sts = new AmazonSecurityTokenServiceClient(sandbox.Host.AccessKeyId, sandbox.Host.SecretAccessKey, new AmazonSecurityTokenServiceConfig { ServiceURL = Endpoint, AuthenticationRegion = "us-east-1" });
        return (await sts.AssumeRoleAsync(new AssumeRoleRequest { RoleArn = Role, RoleSessionName = "issued" }, Stop)).Credentials;
    }

    private static string Json(Credentials keys) => JsonSerializer.Serialize(new Dictionary<string, string>
    {
        ["Code"] = "Success", ["Type"] = "AWS-HMAC", ["AccessKeyId"] = keys.AccessKeyId, ["SecretAccessKey"] = keys.SecretAccessKey, ["Token"] = keys.SessionToken,
        ["LastUpdated"] = DateTime.UtcNow.ToString("o", CultureInfo.InvariantCulture), ["Expiration"] = DateTime.UtcNow.AddHours(6).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
    });

    /// <summary>Asks in a process of its own, because the SDK keeps for good where it first found configuration files.</summary>
    private static async Task<string> WhoAsync(string arguments = "")
    {
        var result = await AskAsync($"(Get-InferloopIdentity {arguments}).Arn");
        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        return result.Output.Trim();
    }

    private static Task<ToolResult> AskAsync(string command) => ShellProcess.RunAsync(
        ["-Command", command], Stop,
        new Dictionary<string, string?>(ShellProcess.CleanEnvironment.Where(v => v.Key is not ("AWS_REGION" or "AWS_ENDPOINT_URL" or "AWS_EC2_METADATA_DISABLED"))));

    private static string Jwt(string subject)
    {
        static string Part(object claims) => Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(claims)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        return $"{Part(new { alg = "RS256", typ = "JWT" })}.{Part(new { iss = "https://token.actions.githubusercontent.com", sub = subject, aud = "sts.amazonaws.com", exp = DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds() })}.c2lnbmF0dXJl";
    }

    /// <summary>An HTTP endpoint on loopback that answers as told and remembers what it was asked for.</summary>
    private sealed class FakeEndpoint : IDisposable
    {
        private readonly HttpListener listener;

        public FakeEndpoint(Func<HttpListenerRequest, string, (int Status, string Body)> answer)
        {
            using (var probe = new TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Port = ((IPEndPoint)probe.LocalEndpoint).Port;
            }

            listener = new HttpListener();
            listener.Prefixes.Add($"http://127.0.0.1:{Port}/");
            listener.Start();
            _ = ServeAsync(answer);
        }

        public int Port { get; }

        public List<string> Paths { get; } = [];

        public void Dispose() => listener.Close();

        private async Task ServeAsync(Func<HttpListenerRequest, string, (int Status, string Body)> answer)
        {
            while (listener.IsListening)
            {
                HttpListenerContext context;
                try
                {
                    context = await listener.GetContextAsync();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }

                var path = context.Request.Url!.AbsolutePath;
                Paths.Add(path);
                var (status, body) = answer(context.Request, path);
                context.Response.StatusCode = status;
                context.Response.ContentType = body.StartsWith('{') ? "application/json" : "text/plain";
                if (context.Request.HttpMethod == "PUT")
                {
                    context.Response.Headers["x-aws-ec2-metadata-token-ttl-seconds"] = "21600";
                }

                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body));
                context.Response.Close();
            }
        }
    }
}
