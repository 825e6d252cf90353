namespace Inferloop.Operations.Specs;

/// <content>What Lambda refuses, and what calls itself for ever.</content>
internal sealed partial class SpecValidator
{
    // Where the application writes, by its lifecycle rules: a function that is called by these keys is called by its own output.
    private static readonly string[] s_written = ["output/", "temporary/"];

    private void Lambda()
    {
        var lambda = spec.Lambda;
        if (!lambda.LambdaEnabled)
        {
            return;
        }

        if (lambda.LambdaImage.Length > 0 && lambda.LambdaCodeBucket.Length > 0)
        {
            Error("LambdaCode", "lambda.lambdaImage", "A function has its code from an image or from a package, not from both.", "Clear lambda.lambdaImage or lambda.lambdaCodeBucket.");
        }

        if (lambda.LambdaShift.Length > 0 && lambda.LambdaProvisionedConcurrency > 0)
        {
            Error("LambdaShift", "lambda.lambdaShift", "Lambda keeps no calls ready for an alias that shares them between two versions.", "Set lambda.lambdaProvisionedConcurrency to 0 while calls are shifted, or release with -Strategy Rolling or BlueGreen.");
        }

        if (lambda.LambdaImage.Length > 0 && !lambda.LambdaImage.Contains($".{spec.Region}.", StringComparison.Ordinal))
        {
            Error("LambdaImageRegion", "lambda.lambdaImage", $"Lambda takes images from ECR of its own region, {spec.Region}, only.", $"Push the image to {spec.Region}, or let ECR replicate it.");
        }

        if (lambda.LambdaProvisionedConcurrency > 0 && lambda.LambdaReservedConcurrency > 0 && lambda.LambdaProvisionedConcurrency > lambda.LambdaReservedConcurrency)
        {
            Error("LambdaConcurrency", "lambda.lambdaProvisionedConcurrency", $"{lambda.LambdaProvisionedConcurrency} calls are to be kept ready of {lambda.LambdaReservedConcurrency} that the function may have.", "Raise lambda.lambdaReservedConcurrency, or set it to 0.");
        }

        if (lambda.LambdaProvisionedMaximum > 0 && lambda.LambdaProvisionedMaximum < Math.Max(1, lambda.LambdaProvisionedConcurrency))
        {
            Error("LambdaProvisionedRange", "lambda.lambdaProvisionedMaximum", $"The most calls that are kept ready ({lambda.LambdaProvisionedMaximum}) are fewer than the fewest ({lambda.LambdaProvisionedConcurrency}).", "Raise lambda.lambdaProvisionedMaximum, or set it to 0.");
        }

        if (lambda.LambdaProvisionedMaximum > 0 && lambda.LambdaProvisionedConcurrency == 0)
        {
            Error("LambdaProvisionedRange", "lambda.lambdaProvisionedConcurrency", "Scaling of calls that are kept ready begins at one or more.", "Set lambda.lambdaProvisionedConcurrency to 1 or more, or lambda.lambdaProvisionedMaximum to 0.");
        }

        if (lambda.LambdaProvisionedMaximum > 0 && lambda.LambdaReservedConcurrency > 0 && lambda.LambdaProvisionedMaximum > lambda.LambdaReservedConcurrency)
        {
            Error("LambdaConcurrency", "lambda.lambdaProvisionedMaximum", $"Up to {lambda.LambdaProvisionedMaximum} calls are to be kept ready of {lambda.LambdaReservedConcurrency} that the function may have.", "Raise lambda.lambdaReservedConcurrency, or set it to 0.");
        }

        if (lambda.LambdaScalingSchedule.Length > 0 && lambda.LambdaProvisionedMaximum == 0)
        {
            Error("LambdaSchedule", "lambda.lambdaScalingSchedule", "There are no bounds for a schedule to change: the number of calls that are kept ready is fixed.", "Set lambda.lambdaProvisionedMaximum too.");
        }

        Schedule("LambdaSchedule", "lambda.lambdaScalingSchedule", lambda.LambdaScalingSchedule, lambda.LambdaReservedConcurrency > 0 ? lambda.LambdaReservedConcurrency : 10000);
        if (lambda.LambdaBucketTrigger && s_written.FirstOrDefault(w => w.StartsWith(lambda.LambdaBucketPrefix, StringComparison.Ordinal) || lambda.LambdaBucketPrefix.StartsWith(w, StringComparison.Ordinal)) is { } written)
        {
            Error("LambdaRecursion", "lambda.lambdaBucketPrefix", $"Objects under {written} are the application's own output: a function called by '{lambda.LambdaBucketPrefix}' would call itself for ever.", "Take input/.");
        }

        if (lambda.LambdaInsights && lambda.LambdaImage.Length > 0)
        {
            Information("LambdaInsights", "lambda.lambdaInsights", "An image cannot have the layer of Lambda Insights; it is measured only if it brings the extension.", "Install the extension in the image, or set lambda.lambdaInsights to false.");
        }

        if (!lambda.LambdaHttpApi && lambda.LambdaSchedule.Length == 0 && !lambda.LambdaBucketTrigger && !lambda.LambdaTableTrigger)
        {
            Information("LambdaUncalled", "lambda.lambdaEnabled", "Nothing calls the function but direct invocations.", "Set lambda.lambdaHttpApi, lambdaSchedule, lambdaBucketTrigger or lambdaTableTrigger.");
        }
    }
}
