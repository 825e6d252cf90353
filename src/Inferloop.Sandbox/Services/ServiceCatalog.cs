using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services;

/// <summary>The services behind the resources of the templates, and what CloudFormation creates them with.</summary>
internal static class ServiceCatalog
{
    public static IEnumerable<SandboxService> Services(SandboxRuntime runtime)
    {
        _ = runtime;
        return [];
    }

    public static IEnumerable<ResourceProvider> Providers(SandboxRuntime runtime)
    {
        _ = runtime;
        return [];
    }
}
