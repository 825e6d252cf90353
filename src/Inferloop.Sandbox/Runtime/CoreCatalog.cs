using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Services.S3;
using Inferloop.Sandbox.Services.Sts;

namespace Inferloop.Sandbox.Runtime;

/// <summary>The services and providers that the provisioner itself stands on.</summary>
internal static class CoreCatalog
{
    public static IEnumerable<SandboxService> Services(SandboxRuntime runtime)
    {
        yield return new CloudFormationService(runtime);
        yield return new S3Service(runtime);
        yield return new StsService(runtime);
    }

    public static IEnumerable<ResourceProvider> Providers(SandboxRuntime runtime)
    {
        yield return new BucketProvider();
        yield return new BucketPolicyProvider();
        yield return new WaitConditionHandleProvider();
        yield return new WaitConditionProvider(runtime);
    }
}
