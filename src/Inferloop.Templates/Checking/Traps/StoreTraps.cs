using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>Data stores that are not encrypted in every stage, sizes that never follow it, secrets whose rotation breaks them.</summary>
internal static class StoreTraps
{
    public static readonly TrapRule Unencrypted = new(
        "StoreUnencrypted", DiagnosticSeverity.Error, "A data store is not encrypted",
        "Encrypt it in every stage; encryption costs nothing, and cannot be switched on later without a replacement.");

    public static readonly TrapRule SharedSwitch = new(
        "EncryptionSharesSwitch", DiagnosticSeverity.Warning, "One switch drives encryption and availability",
        "Set encryption to true, and let the switch drive availability alone.");

    public static readonly TrapRule FixedSize = new(
        "SizeIgnoresStage", DiagnosticSeverity.Information, "A size is the same in every stage",
        "Make it a parameter with a default, or look it up by the stage in a mapping.");

    public static readonly TrapRule Rotation = new(
        "RotationForgetsDatabase", DiagnosticSeverity.Warning, "A secret is rotated without the database being told",
        "Attach the secret to the database (AWS::SecretsManager::SecretTargetAttachment), and rotate it with a function that changes both.");

    private static readonly (string Type, string Property)[] Encryption =
    [
        ("AWS::RDS::DBInstance", "StorageEncrypted"), ("AWS::RDS::DBCluster", "StorageEncrypted"), ("AWS::ElastiCache::ReplicationGroup", "AtRestEncryptionEnabled"),
        ("AWS::EFS::FileSystem", "Encrypted"), ("AWS::EC2::Volume", "Encrypted"),
    ];

    private static readonly string[] Availability = ["MultiAZ", "MultiAZEnabled", "AutomaticFailoverEnabled"];

    private static readonly string[] Sizes = ["InstanceType", "DBInstanceClass", "CacheNodeType", "InstanceTypes"];

    public static void Check(TrapContext context)
    {
        foreach (var (type, property) in Encryption)
        {
            foreach (var store in context.All(type).Where(s => !(s.Properties["SourceDBInstanceIdentifier"] is not null || s.Properties["SnapshotId"] is not null)))
            {
                if (store.Properties[property] is null || store.Properties[property]!.AsString() == "false")
                {
                    context.Report(Unencrypted, $"{property} is {(store.Properties[property] is null ? "not set" : "false")}.", store, store.Properties[property]);
                }
            }
        }

        var attached = context.All("AWS::SecretsManager::SecretTargetAttachment").SelectMany(a => context.From(a.Properties["SecretId"])).ToHashSet();
        foreach (var schedule in context.All("AWS::SecretsManager::RotationSchedule").Where(s => !TellsByItself(context, s)))
        {
            foreach (var secret in context.From(schedule.Properties["SecretId"]).Where(s => s.Type == "AWS::SecretsManager::Secret" && !attached.Contains(s)))
            {
                // Only a secret that holds a database's login has someone else to tell.
                if (secret.Properties["GenerateSecretString"]?["SecretStringTemplate"]?.AsString()?.Contains("username", StringComparison.OrdinalIgnoreCase) == true)
                {
                    context.Report(Rotation, $"'{secret.Path}' holds a login, and nothing attaches it to a database.", schedule, schedule.Properties["SecretId"]);
                }
            }
        }
    }

    /// <summary>What stands in the text, whatever the stage of one evaluation makes of it.</summary>
    public static IEnumerable<Diagnostic> CheckText(Template template)
    {
        var staged = template.Parameters.Values.Any(p => p.Name is "Stage" or "Environment" or "EnvironmentType" && p.AllowedValues.Count > 1);
        foreach (var resource in template.Resources.Values)
        {
            foreach (var (_, property) in Encryption.Where(e => e.Type == resource.Type))
            {
                if (Switch(resource.Properties?[property]) is { } one && Availability.FirstOrDefault(a => Switch(resource.Properties?[a]) == one) is { } other)
                {
                    yield return new Diagnostic(SharedSwitch.Id, SharedSwitch.Severity, $"'{one}' drives {property} and {other}: what needs no standby is not encrypted either.", resource.Properties![property]!.Location, resource.LogicalId);
                }
            }

            foreach (var size in staged ? Sizes : [])
            {
                if (resource.Properties?[size] is ScalarNode { Text: var text } literal)
                {
                    yield return new Diagnostic(FixedSize.Id, FixedSize.Severity, $"{size} is '{text}' in every stage.", literal.Location, resource.LogicalId);
                }
            }
        }
    }

    private static bool TellsByItself(TrapContext context, EvaluatedResource schedule) =>
        schedule.Properties["RotationLambdaARN"] is { } own && context.From(own).Any(f => f.Type == "AWS::Lambda::Function");

    /// <summary>The condition of an Fn::If, or the parameter of a Ref.</summary>
    private static string? Switch(Node? node) => node is MappingNode { Count: 1 } map ? (map[0].Key, map[0].Value) switch
    {
        ("Fn::If", SequenceNode { Items: [ScalarNode condition, ..] }) => condition.Text,
        ("Ref", ScalarNode name) => name.Text,
        _ => null,
    } : null;
}
