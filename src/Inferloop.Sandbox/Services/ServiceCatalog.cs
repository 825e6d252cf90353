using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.DynamoDb;
using Inferloop.Sandbox.Services.Kms;

namespace Inferloop.Sandbox.Services;

/// <summary>The services behind the resources of the templates, and what CloudFormation creates them with.</summary>
internal static class ServiceCatalog
{
    public static IEnumerable<SandboxService> Services(SandboxRuntime runtime) =>
    [
        new KmsService(runtime),
        new Ec2.Ec2Service(runtime),
        new DynamoDbService(runtime),
    ];

    public static IEnumerable<ResourceProvider> Providers(SandboxRuntime runtime) =>
    [
        .. KmsResources.All(runtime),
        .. Ec2.Ec2Resources.All(runtime),
        .. DynamoDbResources.All(runtime),
    ];
}
