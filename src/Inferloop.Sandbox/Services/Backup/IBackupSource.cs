using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Backup;

/// <summary>A resource that can be backed up.</summary>
internal sealed record BackupResource(string Arn, string Name, IReadOnlyDictionary<string, string> Tags);

/// <summary>How resources of one type are backed up, copied and restored.</summary>
internal interface IBackupSource
{
    /// <summary>The type as AWS Backup names it.</summary>
    string Type { get; }

    /// <summary>What there is of the type in a region.</summary>
    IEnumerable<BackupResource> Resources(RequestContext context);

    /// <summary>Begins a recovery point; gives its ARN and size.</summary>
    (string Arn, long Size) Take(RequestContext context, BackupResource resource, string job);

    /// <summary>Begins a copy elsewhere; gives its ARN.</summary>
    string Copy(RequestContext from, string recoveryPoint, RequestContext to, string job);

    /// <summary>Whether a recovery point is done, given since when it is in the making.</summary>
    bool IsDone(RequestContext context, string recoveryPoint, DateTimeOffset since, bool isCopy);

    /// <summary>What a restoration starts from.</summary>
    JsonObject Metadata(RequestContext context, string recoveryPoint, JsonObject point);

    /// <summary>Begins a restoration; gives the ARN of what comes of it.</summary>
    Task<string> RestoreAsync(RequestContext context, string recoveryPoint, IReadOnlyDictionary<string, string> metadata);

    /// <summary>Whether what was restored is ready.</summary>
    bool IsRestored(RequestContext context, string arn, DateTimeOffset since);

    /// <summary>Removes a recovery point.</summary>
    void Remove(RequestContext context, string recoveryPoint);
}
