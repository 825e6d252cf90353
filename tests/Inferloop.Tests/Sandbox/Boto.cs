using Inferloop.Sandbox;

namespace Inferloop.Tests.Sandbox;

/// <summary>Python scripts with boto3, a client nobody here wrote, against a sandbox.</summary>
internal static class Boto
{
    /// <summary>Runs a script that prints <c>done</c> as its last line when all is well; skips the test where boto3 is not installed.</summary>
    public static async Task<string> RunAsync(SandboxHost host, string script)
    {
        var folder = Directory.CreateTempSubdirectory("inferloop-boto-").FullName;
        try
        {
            var file = Path.Combine(folder, "script.py");
            await File.WriteAllTextAsync(file, script, TestContext.Current.CancellationToken);
            var answer = await ExternalTool.RunAsync(ExternalTool.Require("python3"), [file], new Dictionary<string, string?>
            {
                ["AWS_ACCESS_KEY_ID"] = host.AccessKeyId,
                ["AWS_SECRET_ACCESS_KEY"] = host.SecretAccessKey,
                ["AWS_SESSION_TOKEN"] = null,
                ["AWS_PROFILE"] = null,
                ["AWS_DEFAULT_REGION"] = "us-east-1",
                ["AWS_ENDPOINT_URL"] = host.Endpoint.ToString(),
                ["AWS_EC2_METADATA_DISABLED"] = "true",
                ["AWS_CONFIG_FILE"] = Path.Combine(folder, "none"),
                ["AWS_SHARED_CREDENTIALS_FILE"] = Path.Combine(folder, "none"),
            }, TestContext.Current.CancellationToken);
            Assert.SkipWhen(answer.Error.Contains("No module named 'boto", StringComparison.Ordinal), "boto3 is not installed");
            var output = answer.EnsureSuccess().Output.Trim();
            Assert.EndsWith("done", output, StringComparison.Ordinal);
            return output;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
