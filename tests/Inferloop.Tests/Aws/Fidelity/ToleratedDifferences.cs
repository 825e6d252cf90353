using System.Text.RegularExpressions;

namespace Inferloop.Tests.Aws.Fidelity;

/// <summary>The one list of differences from the official clients that we accept, each with its reason.</summary>
internal static class ToleratedDifferences
{
    private const string Newer = "the official package was made from a newer model than botocore 1.43.11 has";
    private const string HandWritten = "hand-written in the official package; no model contains it, and the module does not use it";

    /// <summary>Each pattern is held against "- line" (only official) and "+ line" (only generated) of <see cref="PublicSurface"/>.</summary>
    public static IReadOnlyList<(Regex Pattern, string Reason)> Surface { get; } =
    [
        // What a user of the SDK never names.
        Only(@"- Amazon\.\w+(\.Model)?\.Internal\.", "plumbing (marshallers, endpoint and authentication resolvers): ours is one class a service, not three an operation"),

        // Conveniences over the same operations: code written against ours compiles against the official package, which is all the swap needs.
        Only(@"- Amazon\.\w+\.I?Amazon\w+\.\w+Async\((?!Amazon\.\w+\.Model\.\w+Request request, )", "overloads that take single values instead of a request, from the SDK's own list"),
        Only(@"- Amazon\.\w+\.Model\.\w+\.ctor\(.+\)", "constructors that take single values, from the SDK's own list"),
        Only(@"\+ Amazon\.DynamoDBv2\.Model\.\S*(ListBackups|ListTagsOfResource)\S*", "botocore names paginators for them"),
        Only(@"\+ Amazon\.\w+\.Model\.I\w+Paginator\.\w+: Amazon\.Runtime\.IPaginatedEnumerable<", "botocore names more result keys; Responses is the same in both"),

        // Hand-written parts of the official packages.
        Only(@"- Amazon\.SecurityToken\.SAML\.", HandWritten),
        Only(@"- Amazon\.SecurityToken\.SecurityTokenService\w*RetryPolicy[.:]", HandWritten),
        Only(@"[-+] Amazon\.SecurityToken\.Model\.Credentials(: class|\.GetCredentials|\.Expiration)", "the official class is an AWSCredentials by hand"),
        Only(@"- Amazon\.(SecurityToken|SQS)\.IAmazon\w+ implements Amazon\.Runtime\.SharedInterfaces\.", "lets AWSSDK.Core call a package it does not know; ours are not called that way"),
        Only(@"- Amazon\.SQS\.Util\.", HandWritten),
        Only(@"- Amazon\.SQS\.Model\.GetQueueAttributesResponse\.", HandWritten),
        Only(@"- Amazon\.DynamoDBv2\.(DataModel|DocumentModel|Util)\.", HandWritten),
        Only(@"- Amazon\.DynamoDBv2\.(\w+Converter(`\d)?|ConversionSchema|DynamoDBEntryConversion|MetadataCachingMode)( implements|[.:])", HandWritten),
        Only(@"- Amazon\.DynamoDBv2\.Model\.\w+\.Is\w+Set: ", "say for three-valued properties what null says since version 4"),
        Only(@"- Amazon\.DynamoDBv2\.(AmazonDynamoDBClient\.EndpointOperation|Model\.InvalidEndpointException)", "endpoint discovery, which DynamoDB has in no region any more"),
        Only(@"- Amazon\.DynamoDBv2\.Model\.\S*(BatchGetItem|ListContributorInsights|ListExports|ListImports)\S*Paginator|- Amazon\.DynamoDBv2\.Model\.I?DynamoDBv2PaginatorFactory\.(BatchGetItem|ListContributorInsights|ListExports|ListImports)\(", "botocore names no paginator for them"),

        // A newer model.
        Only(@"- Amazon\.SecurityToken\.Model\.\w+\.(MinimumSessionTokenSize|SessionTokenSize|SessionTokenUtilization): ", Newer),
        Only(@"- Amazon\.SimpleSystemsManagement\.\S*(CloudConnector|ValidationFinding|DefaultHostManagement|DHMCPermissionModel|DeletionMode|AzureConfiguration|AzureSubscription|ConfigurationTargets|Model\.ConflictException)", Newer),
        Only(@"- Amazon\.SimpleSystemsManagement\.\S+\.(WarningMessage|Source(Type|Id|Location)|AvailabilityZone(Id)?|MicrosoftComputeVirtualMachines|InstanceInfo\.Name): ", Newer),
        Only(@"- Amazon\.DynamoDBv2\.\S*(SearchVectors|Vector|SearchSchema|SearchResult|IsSearchOperation|Disassoci|FilterSpecification)", Newer),
        Only(@"- Amazon\.KeyManagementService\.Model\.\w+\.((Grantee|Retiring)ServicePrincipal|SourceArn): ", Newer),
    ];

    /// <summary>Headers that cannot be the same in two requests, or that name the maker.</summary>
    public static IReadOnlyDictionary<string, string> Headers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["User-Agent"] = "names the package and its version",
        ["x-amz-user-agent"] = "names the package and its version",
        ["amz-sdk-invocation-id"] = "a new id for every call",
        ["X-Amz-Date"] = "the time of the call",
        ["Authorization"] = "the signature covers the two above; its scope and its list of signed headers are compared",
    };

    /// <summary>Requests whose JSON has its members in another order.</summary>
    public static IReadOnlyDictionary<string, string> MemberOrder { get; } = new Dictionary<string, string>
    {
        ["kms CreateGrant"] = "the official KMS package was sorted without regard to case, the newer SSM and DynamoDB packages with it, as ours is",
        ["kms CreateKey"] = "the same",
        ["kms ListGrants"] = "the same",
    };

    /// <summary>Operations whose made-up answers the official client refuses.</summary>
    public static IReadOnlyDictionary<string, string> NotRead { get; } = new Dictionary<string, string>
    {
        ["sqs SendMessageBatch"] = "the official client looks up the ids and hashes of the answer in the request",
    };

    /// <summary>Members that made-up answers leave out.</summary>
    public static IReadOnlyDictionary<string, string> LeftOutOfAnswers { get; } = new Dictionary<string, string>
    {
        ["MD5OfBody"] = "set to the body's hash, which the official SQS client checks",
        ["MD5OfMessageBody"] = "the official SQS client checks it against the request and throws; a made-up value cannot fit",
        ["MD5OfMessageAttributes"] = "the same",
        ["MD5OfMessageSystemAttributes"] = "the same",
    };

    private static (Regex Pattern, string Reason) Only(string pattern, string reason) => (new Regex("^" + pattern, RegexOptions.CultureInvariant), reason);
}
