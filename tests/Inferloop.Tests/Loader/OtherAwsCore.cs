using System.Reflection;

namespace Inferloop.Tests.Loader;

/// <summary>Where restored packages of other AWSSDK.Core versions are.</summary>
internal static class OtherAwsCore
{
    public static string Path(string version, string frameworks)
    {
        var root = typeof(OtherAwsCore).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "NuGetPackageRoot").Value!;
        return frameworks.Split('|').Select(f => System.IO.Path.Combine(root, "awssdk.core", version, "lib", f, "AWSSDK.Core.dll")).First(File.Exists);
    }
}
