namespace Inferloop.Operations.Specs;

/// <content>How releases go.</content>
internal sealed partial class SpecValidator
{
    /// <summary>CloudFormation gives a service three hours to settle; what is left of them is for tasks that start and stop.</summary>
    private const int LongestRelease = 150;

    private void Releases()
    {
        var release = spec.Release;
        if (release.ReleaseStrategy != ReleaseStrategy.Rolling && !release.ReleaseShifting)
        {
            Error("ReleaseWithoutShifting", "release.releaseStrategy", $"{release.ReleaseStrategy} shifts traffic between two target groups, and the environment has one.", "Set release.releaseShifting true.");
        }

        if (release.ReleaseStrategy == ReleaseStrategy.Rolling)
        {
            return;
        }

        var steps = release.ReleaseStrategy switch
        {
            ReleaseStrategy.Linear => ((100 + release.ReleaseStepPercent - 1) / release.ReleaseStepPercent) - 1,
            ReleaseStrategy.Canary => 1,
            _ => 0,
        };
        var minutes = (steps * release.ReleaseStepMinutes) + release.ReleaseBakeMinutes + (release.ReleaseApproval ? release.ReleaseApprovalMinutes : 0);
        if (minutes > LongestRelease)
        {
            Error(
                "ReleaseTooLong", "release.releaseBakeMinutes", $"Steps, bake and approval take up to {minutes} minutes; CloudFormation waits three hours for a service, and tasks need part of them.",
                $"Lower releaseStepMinutes, releaseBakeMinutes or releaseApprovalMinutes to {LongestRelease} minutes in all.");
        }
    }
}
