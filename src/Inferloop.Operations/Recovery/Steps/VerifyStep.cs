using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Recovery.Steps;

/// <summary>Every part of the environment says by its own service that it is healthy.</summary>
internal static class VerifyStep
{
    public static readonly FailoverAction Action = new(RunAsync);

    private static async Task<string?> RunAsync(FailoverContext context, CancellationToken cancellation)
    {
        InferloopEnvironment? environment = null;
        await context.UntilAsync(
            TimeSpan.FromMinutes(30),
            async ct =>
            {
                environment = await context.Target.RefreshAsync(context.Standby.StackName, withHealth: true, ct).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(context.Standby.Name, context.Standby.Region);
                if (environment.Health is EnvironmentHealth.Healthy or EnvironmentHealth.Unknown)
                {
                    return null;
                }

                var bad = (await context.Target.ComponentsAsync(environment, ct).ConfigureAwait(false)).Where(c => c.Health > EnvironmentHealth.Healthy).Select(c => $"{c.Path} is {c.Status}{(c.Detail.Length > 0 ? $" ({c.Detail})" : "")}").ToList();
                return bad.Count == 0 ? $"it is {environment.Health}" : string.Join("; ", bad);
            },
            $"'{context.Standby.Name}' in {context.Run.Current.ToRegion} is waited for to be healthy", cancellation).ConfigureAwait(false);
        return $"every part is healthy{(environment!.Endpoint.Length > 0 ? $"; it answers at {environment.Endpoint}" : "")}";
    }
}
