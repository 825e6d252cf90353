using System.Management.Automation;
using System.Reflection;
using System.Runtime.Loader;
using Inferloop.Aws;
using Inferloop.PowerShell.Commands.Sandbox;
using Inferloop.PowerShell.Pipeline;
using Inferloop.PowerShell.Session;
using Inferloop.Tests.Loader;

namespace Inferloop.PowerShell.Tests;

/// <summary>Where the common AWS parameters and the session's defaults lead.</summary>
public sealed class AwsCmdletTests : IDisposable
{
    private readonly CmdletFixture session = new(
        null, typeof(ConnectionCommand), typeof(StartSandboxCommand), typeof(StopSandboxCommand), typeof(GetSandboxCommand));

    public void Dispose() => session.Dispose();

    [Fact]
    public void Without_a_sandbox_the_parameters_are_what_counts()
    {
        var options = Connection("Get-Connection -Region eu-west-1 -ProfileName prod -ProfileLocation /tmp/c -EndpointUrl http://localhost:4566/");
        Assert.Equal(("eu-west-1", "prod", "/tmp/c", "http://localhost:4566"), (options.Region, options.ProfileName, options.ProfileLocation, options.EndpointUrl));
        Assert.Null(options.AccessKey);
    }

    [Fact]
    public void After_starting_the_sandbox_everything_goes_to_it()
    {
        var sandbox = session.Run("Start-InferloopSandbox -Region eu-west-1; Get-InferloopSandbox").Single();
        var options = Connection("Get-Connection");
        Assert.Equal(sandbox.Properties["EndpointUrl"].Value.ToString()!.TrimEnd('/'), options.EndpointUrl);
        Assert.Equal(("eu-west-1", (string)sandbox.Properties["AccessKey"].Value), (options.Region, options.AccessKey));
        Assert.Equal("us-west-2", Connection("Get-Connection -Region us-west-2").Region);
        Assert.Equal(options.EndpointUrl, Connection("Get-Connection -Region us-west-2").EndpointUrl);
    }

    [Theory]
    [InlineData("-ProfileName prod")]
    [InlineData("-AccessKey AKIAIOSFODNN7EXAMPLE -SecretKey 'wJalrXUtnFEMI/K7MDENG'")]
    [InlineData("-EndpointUrl http://localhost:4566")]
    [InlineData("-Credential $pair")]
    public void What_is_said_goes_before_the_sandbox(string arguments)
    {
        session.Run("Start-InferloopSandbox");
        session.Runspace.SessionStateProxy.SetVariable("pair", new PSCredential("AKIAIOSFODNN7EXAMPLE", new System.Net.NetworkCredential("", "wJalrXUtnFEMI/K7MDENG").SecurePassword));
        var options = Connection("Get-Connection " + arguments);
        Assert.DoesNotContain("127.0.0.1", options.EndpointUrl ?? "", StringComparison.Ordinal);
        if (arguments.Contains("Credential", StringComparison.Ordinal) || arguments.Contains("AccessKey", StringComparison.Ordinal))
        {
            Assert.Equal(("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG"), (options.AccessKey, options.SecretKey));
        }
    }

    [Fact]
    public void An_object_that_came_from_a_sandbox_leads_back_to_it()
    {
        session.Run("Start-InferloopSandbox");
        var other = session.Run("$other = Start-InferloopSandbox -NoDefault -Region ap-south-1; $other").Single();
        var options = Connection("$other | Get-Connection");
        Assert.Equal((other.Properties["EndpointUrl"].Value.ToString()!.TrimEnd('/'), "ap-south-1"), (options.EndpointUrl!, options.Region!));
        Assert.Equal((string)other.Properties["AccessKey"].Value, options.AccessKey);
    }

    [Fact]
    public void Starting_twice_is_once_and_other_settings_are_an_error()
    {
        session.Run("Start-InferloopSandbox -ClockRate 5; Start-InferloopSandbox -ClockRate 5; Start-InferloopSandbox");
        Assert.Single(session.Run("Get-InferloopSandbox"));
        var error = Assert.ThrowsAny<RuntimeException>(() => session.Run("Start-InferloopSandbox -ClockRate 7")).ErrorRecord;
        Assert.Equal(ErrorCategory.ResourceExists, error.CategoryInfo.Category);
        Assert.StartsWith("SandboxAlreadyRunning,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_in_use_is_an_error_that_names_it()
    {
        var port = session.Run("(Start-InferloopSandbox -NoDefault).EndpointUrl.Port").Single().BaseObject;
        var error = Assert.ThrowsAny<RuntimeException>(() => session.Run($"Start-InferloopSandbox -NoDefault -Port {port}")).ErrorRecord;
        Assert.StartsWith("SandboxPortInUse,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains(port.ToString()!, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Stopped_a_sandbox_answers_no_more_and_aws_is_the_default_again()
    {
        session.Run("$sandbox = Start-InferloopSandbox -PassThru; Stop-InferloopSandbox");
        Assert.Empty(session.Run("Get-InferloopSandbox"));
        Assert.Null(Connection("Get-Connection").EndpointUrl);
        Assert.Equal("False", session.Run("$sandbox.IsRunning").Single().ToString());
    }

    [Fact]
    public async Task A_session_that_ends_stops_its_sandbox()
    {
        Uri endpoint;
        using (var other = new CmdletFixture(null, typeof(StartSandboxCommand)))
        {
            endpoint = (Uri)other.Run("(Start-InferloopSandbox -PassThru).EndpointUrl").Single().BaseObject;
        }

        using var client = new HttpClient();
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(endpoint, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Nothing_that_shows_a_sandbox_shows_its_secret()
    {
        session.Run("$sandbox = Start-InferloopSandbox -PassThru");
        var secret = (string)session.Run("$sandbox.GetEnvironmentVariables()['AWS_SECRET_ACCESS_KEY']").Single().BaseObject;
        Assert.True(secret.Length >= 20);
        var shown = string.Concat(session.Run("$sandbox | Select-Object * | ConvertTo-Json -Depth 4 -WarningAction SilentlyContinue; \"$sandbox\"; $sandbox.GetEnvironmentVariables().Keys"));
        Assert.DoesNotContain(secret, shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Session_defaults_of_aws_tools_are_read_by_their_shape()
    {
        session.Runspace.SessionStateProxy.SetVariable("StoredAWSCredentials", new FakeStoredCredentials(new FakeCredentials()));
        session.Runspace.SessionStateProxy.SetVariable("StoredAWSRegion", "eu-north-1");
        var options = Connection("Get-Connection");
        Assert.Equal("eu-north-1", options.Region);
        var keys = await options.CredentialSource!.GetKeysAsync(TestContext.Current.CancellationToken);
        Assert.Equal(("AKIAFAKE", "fake-secret-key", "token 1"), (keys.AccessKey, keys.SecretKey, keys.SessionToken));

        // Asked again they may have been refreshed.
        Assert.Equal("token 2", (await options.CredentialSource.GetKeysAsync(TestContext.Current.CancellationToken)).SessionToken);

        Assert.Null(Connection("Get-Connection -ProfileName p").CredentialSource);
        Assert.Null(Connection("Start-InferloopSandbox; Get-Connection").CredentialSource);
    }

    [Theory]
    [InlineData("3.7.501.1", "netcoreapp3.1|net8.0")]
    [InlineData("4.0.3.3", "net8.0")]
    public async Task Credentials_of_another_generation_of_the_sdk_are_understood(string version, string frameworks)
    {
        var context = new AssemblyLoadContext("another AWSSDK.Core", isCollectible: true);
        var core = context.LoadFromAssemblyPath(OtherAwsCore.Path(version, frameworks));
        Assert.NotEqual(FileVersion(typeof(Amazon.RegionEndpoint).Assembly), FileVersion(core));
        var foreign = Activator.CreateInstance(core.GetType("Amazon.Runtime.SessionAWSCredentials")!, "AKIAOTHER", "other-secret", "other-token")!;
        session.Runspace.SessionStateProxy.SetVariable("foreign", foreign);
        var keys = await Connection("Get-Connection -Credential $foreign").CredentialSource!.GetKeysAsync(TestContext.Current.CancellationToken);
        Assert.Equal(("AKIAOTHER", "other-secret", "other-token"), (keys.AccessKey, keys.SecretKey, keys.SessionToken));
    }

    [Fact]
    public void An_object_that_is_no_credential_is_refused()
    {
        var error = Assert.ThrowsAny<RuntimeException>(() => session.Run("Get-Connection -Credential ([Uri]'http://x')")).ErrorRecord;
        Assert.StartsWith("CredentialNotUnderstood,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    private static string FileVersion(Assembly assembly) => assembly.GetCustomAttribute<AssemblyFileVersionAttribute>()!.Version;

    private AwsConnectionOptions Connection(string script) => (AwsConnectionOptions)session.Run(script).Single().BaseObject;

    [Cmdlet(VerbsCommon.Get, "Connection")]
    internal sealed class ConnectionCommand : AwsCmdlet
    {
        protected override Task RunAsync(CancellationToken cancellationToken) => WriteAsync(ConnectionOptions());
    }

    // As AWS.Tools keeps them: a wrapper whose property is not public.
    private sealed class FakeStoredCredentials(object credentials)
    {
        internal object Credentials { get; } = credentials;
    }

    private sealed class FakeCredentials
    {
        private int asked;

        public Task<FakeKeys> GetCredentialsAsync() => Task.FromResult(new FakeKeys("AKIAFAKE", "fake-secret-key", $"token {++asked}"));
    }

    private sealed record FakeKeys(string AccessKey, string SecretKey, string Token);
}
