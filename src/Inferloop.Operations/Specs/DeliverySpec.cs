namespace Inferloop.Operations.Specs;

/// <summary>How what is pushed to the application's repository reaches the environment.</summary>
public sealed record DeliverySpec
{
    /// <summary>Whether a pipeline builds, scans and releases what is pushed to the branch. Default: on where <see cref="PipelineRepository"/> is given, else off.</summary>
    [SpecMember(Summary = "GitHub to CodeBuild to ECR to the service")]
    public bool PipelineEnabled { get; init; }

    /// <summary>GitHub repository of the application, <c>owner/name</c>; empty for none. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = @"^([A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100})?$", PatternMeaning = "a GitHub repository as owner/name", Summary = "GitHub repository, owner/name")]
    public string PipelineRepository { get; init; } = "";

    /// <summary>Branch whose pushes are released. Default <c>main</c>.</summary>
    [SpecMember(Pattern = "^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$", PatternMeaning = "the name of a branch", Summary = "branch whose pushes are released")]
    public string PipelineBranch { get; init; } = "main";

    /// <summary>Connection to GitHub that exists already; empty to make one, which somebody then has to complete in the console. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = @"^(arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:\d{12}:connection/[0-9a-f-]{36})?$", PatternMeaning = "the ARN of a connection", Summary = "one that exists; empty to make it")]
    public string PipelineConnectionArn { get; init; } = "";

    /// <summary>Whether somebody approves before a release. Default true in production.</summary>
    [SpecMember(Summary = "somebody approves before a release")]
    public bool PipelineApproval { get; init; } = true;

    /// <summary>Path of a buildspec in the repository that takes the place of the one of the template; empty for none. It exports IMAGE_URI. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = "^[A-Za-z0-9._/-]{0,200}$", PatternMeaning = "a path in the repository", Summary = "buildspec in the repository in place of the template's")]
    public string PipelineBuildSpec { get; init; } = "";

    /// <summary>Whether there is a role that workflows of the repository take by OIDC, without keys. Default false.</summary>
    [SpecMember(Summary = "a role for the repository's workflows, by OIDC")]
    public bool GitHubActionsEnabled { get; init; }

    /// <summary>The account's OIDC provider of GitHub where it has one already; empty to make it. An account has one. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = @"^(arn:aws[a-z-]*:iam::\d{12}:oidc-provider/token\.actions\.githubusercontent\.com)?$", PatternMeaning = "the ARN of the OIDC provider token.actions.githubusercontent.com", Summary = "the account's own, where it has one")]
    public string GitHubProviderArn { get; init; } = "";
}
