extern alias generated;

using System.Reflection;
using Amazon.Runtime;

namespace Inferloop.Tests.Aws.Fidelity;

/// <summary>A service twice: the official assembly and what our generator makes of the same service's model.</summary>
public sealed class ServicePair
{
    private static readonly Assembly GeneratedAssembly = typeof(generated::Amazon.SQS.IAmazonSQS).Assembly;

    private ServicePair(string file, Type officialClient)
    {
        File = file;
        Official = officialClient.Assembly;
        OfficialClient = officialClient;
        Namespace = officialClient.Namespace!;
        GeneratedClient = GeneratedAssembly.GetType(officialClient.FullName!, throwOnError: true)!;
    }

    public static IReadOnlyList<ServicePair> All { get; } =
    [
        new("sts", typeof(Amazon.SecurityToken.AmazonSecurityTokenServiceClient)),
        new("ssm", typeof(Amazon.SimpleSystemsManagement.AmazonSimpleSystemsManagementClient)),
        new("kms", typeof(Amazon.KeyManagementService.AmazonKeyManagementServiceClient)),
        new("sqs", typeof(Amazon.SQS.AmazonSQSClient)),
        new("dynamodb", typeof(Amazon.DynamoDBv2.AmazonDynamoDBClient)),
    ];

    public static TheoryData<string> Names => [.. All.Select(p => p.File)];

    /// <summary>The model's file name.</summary>
    public string File { get; }

    public string Namespace { get; }

    public Assembly Official { get; }

    public Assembly Generated => GeneratedAssembly;

    public Type OfficialClient { get; }

    public Type GeneratedClient { get; }

    public static ServicePair Of(string file) => All.Single(p => p.File == file);

    /// <summary>The operations both have, by name.</summary>
    public IEnumerable<string> CommonOperations()
    {
        HashSet<string> official = [.. Operations(OfficialClient)];
        return Operations(GeneratedClient).Where(official.Contains).Order(StringComparer.Ordinal);
    }

    public static MethodInfo Operation(Type client, string name) =>
        client.GetMethods().Single(m => m.Name == name + "Async" && m.GetParameters() is [{ Name: "request" }, { ParameterType: var last }] && last == typeof(CancellationToken));

    private static IEnumerable<string> Operations(Type client) =>
        client.GetMethods()
            .Where(m => m.GetParameters() is [{ ParameterType: var first }, _] && first.IsSubclassOf(typeof(AmazonWebServiceRequest)) && m.Name.EndsWith("Async", StringComparison.Ordinal))
            .Select(m => m.Name[..^"Async".Length]);

    public override string ToString() => File;
}
