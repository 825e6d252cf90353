using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Recovery;

/// <summary>
/// The specs of an environment and its standby, each made of the other's outputs. The standby carries every value of the primary, unreduced:
/// the template reduces it by its role, so that a failover changes the role and needs nothing of the region that is lost.
/// </summary>
internal static class StandbySpecs
{
    /// <summary>What the standby of an environment is.</summary>
    /// <param name="primary">The environment's spec, with its region.</param>
    /// <param name="outputs">The outputs of its root stack.</param>
    public static InferloopEnvironmentSpec ForStandby(InferloopEnvironmentSpec primary, IReadOnlyDictionary<string, string> outputs)
    {
        var (home, other) = (primary.Region, primary.RecoveryRegion);
        string Output(string name) => outputs.TryGetValue(name, out var value) ? value : "";
        string There(string arn) => InRegion(arn, home, other);
        var mode = primary.Recovery.StandbyMode;
        var live = mode is StandbyMode.PilotLight or StandbyMode.Warm;
        var key = Output("KeyArn");
        var kms = primary.Storage.BucketEncryption == BucketEncryption.KMS;
        var integrations = Output("OwnIntegrationsSecretArn");
        return primary with
        {
            Region = other,
            RecoveryRegion = home,
            Recovery = primary.Recovery with
            {
                RegionRole = RegionRole.Standby,
                ReplicaRegion = "",
                MultiRegionKey = false,
                // Replicas have the names of their originals; what makes them is the primary's stack, afterwards.
                PeerArns = $"{There(Output("JwtSecretArn"))},{There(Output("ApiKeysSecretArn"))},{(key.Contains(":key/mrk-", StringComparison.Ordinal) ? key : "")},{(live ? There(Output("DatabaseMasterSecretArn")) : "")}",
                DatabaseSource = live ? Output("DatabaseArn") : "",
                ReplicaTableName = live ? Output("TableName") : "",
            },
            Connections = primary.Connections with
            {
                IntegrationsSecretArn = integrations.Length > 0 ? There(integrations) : primary.Connections.IntegrationsSecretArn,
            },

            // The way back is open from the first day: nobody writes here while it stands by, and after a failover what is written reaches
            // the other region as soon as that can take it, without a call on the way.
            Storage = primary.Storage with
            {
                ReplicaBucketArn = Output("BucketArn"),
                ReplicaKeyArn = kms ? key : "",
                TableReplicaRegion = "",
                TableReplicaKeyArn = "",
            },

            // A certificate is of one region, and its twin has a name of its own, which the operator gives.
            Security = primary.Security with { CertificateArn = "" },
            Application = primary.Application with { ContainerImage = InRegion(primary.Application.ContainerImage, home, other) },
            Lambda = primary.Lambda with { LambdaImage = InRegion(primary.Lambda.LambdaImage, home, other) },
        };
    }

    /// <summary>The primary once its standby is there: what it replicates, and where to.</summary>
    /// <param name="primary">The environment's spec.</param>
    /// <param name="standbyOutputs">The outputs of the standby's root stack.</param>
    public static InferloopEnvironmentSpec WithStandby(InferloopEnvironmentSpec primary, IReadOnlyDictionary<string, string> standbyOutputs)
    {
        string Output(string name) => standbyOutputs.TryGetValue(name, out var value) ? value : "";
        var live = primary.Recovery.StandbyMode is StandbyMode.PilotLight or StandbyMode.Warm;
        return primary with
        {
            Recovery = primary.Recovery with { ReplicaRegion = primary.RecoveryRegion },
            Storage = primary.Storage with
            {
                ReplicaBucketArn = Output("BucketArn"),
                ReplicaKeyArn = primary.Storage.BucketEncryption == BucketEncryption.KMS ? Output("KeyArn") : "",
                TableReplicaRegion = live ? primary.RecoveryRegion : "",

                // The key of the secrets' replicas too, whatever the table is.
                TableReplicaKeyArn = Output("KeyArn"),
            },
        };
    }

    /// <summary>The primary without its standby: what made replicas is taken away, what says where one would be stays.</summary>
    public static InferloopEnvironmentSpec WithoutStandby(InferloopEnvironmentSpec primary) => primary with
    {
        Recovery = primary.Recovery with { ReplicaRegion = "" },
        Storage = primary.Storage with { ReplicaBucketArn = "", ReplicaKeyArn = "", TableReplicaRegion = "", TableReplicaKeyArn = "" },
    };

    /// <summary>What would stand by for an environment that need not exist: for its price, with names of the form that real ones have.</summary>
    /// <param name="primary">The environment's spec.</param>
    /// <param name="account">Any account.</param>
    public static InferloopEnvironmentSpec ForEstimate(InferloopEnvironmentSpec primary, string account)
    {
        var partition = RegionFacts.Default.Find(primary.Region)?.Partition ?? "aws";
        string Arn(string service, string resource) => $"arn:{partition}:{service}:{primary.Region}:{account}:{resource}";
        return ForStandby(primary, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["KeyArn"] = Arn("kms", primary.Recovery.MultiRegionKey ? "key/mrk-00000000000000000000000000000000" : "key/00000000-0000-0000-0000-000000000000"),
            ["JwtSecretArn"] = Arn("secretsmanager", "secret:tokens-000000"),
            ["ApiKeysSecretArn"] = Arn("secretsmanager", "secret:api-keys-000000"),
            ["DatabaseMasterSecretArn"] = Arn("secretsmanager", "secret:database-000000"),
            ["DatabaseArn"] = primary.Database.DatabaseEnabled ? Arn("rds", "db:" + primary.StackName) : "",
            ["TableName"] = primary.StackName,
            ["BucketArn"] = $"arn:{partition}:s3:::{primary.StackName}",
        });
    }

    /// <summary>
    /// An ARN or an image as it is called in another region; what names no region, or another one than the environment's, stays as it is.
    /// </summary>
    internal static string InRegion(string name, string from, string to) =>
        name.StartsWith("arn:", StringComparison.Ordinal) && name.Split(':') is [_, _, _, var region, ..] && region == from
            ? ReplaceFirst(name, $":{from}:", $":{to}:")
            : ReplaceFirst(name, $".dkr.ecr.{from}.", $".dkr.ecr.{to}.");

    private static string ReplaceFirst(string text, string what, string with) =>
        text.IndexOf(what, StringComparison.Ordinal) is var at and >= 0 ? text[..at] + with + text[(at + what.Length)..] : text;
}
