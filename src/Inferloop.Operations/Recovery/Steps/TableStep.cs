using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Inferloop.Operations.Recovery.Steps;

/// <summary>The table: a replica of a global table takes writes at any time, so that it only has to be seen that it does.</summary>
internal static class TableStep
{
    public static readonly FailoverAction Action = new(RunAsync);

    private static async Task<string?> RunAsync(FailoverContext context, CancellationToken cancellation)
    {
        if (context.Output("TableName") is not { } name)
        {
            return null;
        }

        await context.UntilAsync(
            TimeSpan.FromMinutes(30),
            async ct =>
            {
                var table = (await context.Target.Aws.DynamoDB.DescribeTableAsync(new DescribeTableRequest { TableName = name }, ct).ConfigureAwait(false)).Table;
                return table.TableStatus == TableStatus.ACTIVE ? null : $"it is {table.TableStatus}";
            },
            $"The table {name} is waited for", cancellation).ConfigureAwait(false);
        return $"{name} is active";
    }
}
