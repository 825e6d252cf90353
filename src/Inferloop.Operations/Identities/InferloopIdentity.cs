using Inferloop.Aws;

namespace Inferloop.Operations.Identities;

/// <summary>Who AWS says the caller is, and how AWS was reached. Holds no secret.</summary>
public sealed record InferloopIdentity
{
    /// <summary>The account, 12 digits.</summary>
    public required string AccountId { get; init; }

    /// <summary>The caller's ARN: a user, a role's session or the account's root.</summary>
    public required string Arn { get; init; }

    /// <summary>The caller's unique id.</summary>
    public required string UserId { get; init; }

    /// <summary>The region that cmdlets with the same parameters work in.</summary>
    public required string Region { get; init; }

    /// <summary>The partition: aws, aws-cn, aws-us-gov.</summary>
    public required string Partition { get; init; }

    /// <summary>Where the credentials came from: "profile prod", "default credentials".</summary>
    public required string Credentials { get; init; }

    /// <summary>The endpoint given for every service; null for AWS's own.</summary>
    public string? EndpointUrl { get; init; }

    /// <summary>Asks AWS.</summary>
    /// <param name="session">How to reach it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    internal static async Task<InferloopIdentity> AskAsync(AwsSession session, CancellationToken cancellationToken)
    {
        var caller = await session.GetCallerIdentityAsync(cancellationToken).ConfigureAwait(false);
        return new InferloopIdentity
        {
            AccountId = caller.Account, Arn = caller.Arn, UserId = caller.UserId, Region = session.Region, Partition = session.Partition,
            Credentials = session.CredentialDescription, EndpointUrl = session.EndpointUrl,
        };
    }

    /// <summary>ARN and region in one line.</summary>
    public override string ToString() => $"{Arn} in {Region}";
}
