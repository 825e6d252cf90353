namespace Inferloop.Tests.Aws;

/// <summary>Tests that set environment variables run alone.</summary>
[CollectionDefinition(nameof(AwsEnvironment), DisableParallelization = true)]
public sealed class AwsEnvironmentCollection;

/// <summary>The AWS variables of the process, replaced by the given ones until disposed; profiles live in a folder of their own.</summary>
public sealed class AwsEnvironment : IDisposable
{
    private readonly Dictionary<string, string?> before = [];

    public AwsEnvironment(params (string Name, string Value)[] variables)
    {
        Folder = Directory.CreateTempSubdirectory("inferloop-aws-").FullName;
        foreach (string name in Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(n => n.StartsWith("AWS_", StringComparison.Ordinal)).ToArray())
        {
            Set(name, null);
        }

        Set("AWS_SHARED_CREDENTIALS_FILE", CredentialsFile);
        Set("AWS_CONFIG_FILE", ConfigFile);
        Set("AWS_EC2_METADATA_DISABLED", "true");
        foreach ((string name, string value) in variables)
        {
            Set(name, value);
        }
    }

    public string Folder { get; }

    public string CredentialsFile => Path.Combine(Folder, "credentials");

    public string ConfigFile => Path.Combine(Folder, "config");

    public void Set(string name, string? value)
    {
        before.TryAdd(name, Environment.GetEnvironmentVariable(name));
        Environment.SetEnvironmentVariable(name, value);
    }

    public void Dispose()
    {
        foreach ((string name, string? value) in before)
        {
            Environment.SetEnvironmentVariable(name, value);
        }

        Directory.Delete(Folder, recursive: true);
    }
}
