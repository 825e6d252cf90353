using System.Management.Automation;
using Inferloop.Operations.Identities;
using Inferloop.PowerShell.Pipeline;

namespace Inferloop.PowerShell.Commands.Identity;

/// <summary>Gets who AWS says the caller is, and in which account, region and endpoint the other cmdlets would work.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopIdentity")]
[OutputType(typeof(InferloopIdentity))]
public sealed class GetIdentityCommand : AwsCmdlet
{
    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken) =>
        await WriteAsync(await InferloopIdentity.AskAsync(await GetSessionAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
}
