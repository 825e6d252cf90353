using System.Management.Automation;

namespace Inferloop.PowerShell.Commands.EnvironmentSpec;

/// <content>How what is pushed to the application's repository reaches the environment.</content>
public sealed partial class SpecParameters
{
    /// <summary>Whether a pipeline builds, scans and releases what is pushed to the branch. Default: on where <see cref="PipelineRepository"/> is given, else off.</summary>
    [Parameter]
    public bool? PipelineEnabled { get; set; }

    /// <summary>GitHub repository of the application, <c>owner/name</c>; empty for none. Default empty.</summary>
    [Parameter]
    public string? PipelineRepository { get; set; }

    /// <summary>Branch whose pushes are released. Default <c>main</c>.</summary>
    [Parameter]
    public string? PipelineBranch { get; set; }

    /// <summary>Connection to GitHub that exists already; empty to make one, which somebody then has to complete in the console. Default empty.</summary>
    [Parameter]
    public string? PipelineConnectionArn { get; set; }

    /// <summary>Whether somebody approves before a release. Default true in production.</summary>
    [Parameter]
    public bool? PipelineApproval { get; set; }

    /// <summary>Path of a buildspec in the repository that takes the place of the one of the template; empty for none. It exports IMAGE_URI. Default empty.</summary>
    [Parameter]
    public string? PipelineBuildSpec { get; set; }

    /// <summary>Whether there is a role that workflows of the repository take by OIDC, without keys. Default false.</summary>
    [Parameter]
    public bool? GitHubActionsEnabled { get; set; }

    /// <summary>The account's OIDC provider of GitHub where it has one already; empty to make it. An account has one. Default empty.</summary>
    [Parameter]
    public string? GitHubProviderArn { get; set; }
}
