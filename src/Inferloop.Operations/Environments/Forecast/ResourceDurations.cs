using System.Globalization;

namespace Inferloop.Operations.Environments.Forecast;

/// <summary>How long CloudFormation usually takes for a resource of a type; <c>resource-durations.csv</c> has the figures with their sources.</summary>
internal static class ResourceDurations
{
    private static readonly Lazy<Dictionary<string, (int Create, int Update, int Delete)>> Table = new(Read);

    // What has no row is made by one quick call.
    private static readonly (int Create, int Update, int Delete) Usual = (5, 5, 3);

    public static IReadOnlyCollection<string> Types => Table.Value.Keys;

    public static TimeSpan Of(string type, EnvironmentChangeAction action)
    {
        var (create, update, delete) = Table.Value.TryGetValue(type, out var row) ? row : Usual;
        return TimeSpan.FromSeconds(action switch
        {
            EnvironmentChangeAction.Add or EnvironmentChangeAction.Replace => create,
            EnvironmentChangeAction.Remove => delete,
            EnvironmentChangeAction.SyncWithActual => 0,
            _ => update,
        });
    }

    private static Dictionary<string, (int Create, int Update, int Delete)> Read()
    {
        using var stream = typeof(ResourceDurations).Assembly.GetManifestResourceStream("Inferloop.Operations.resource-durations.csv")
            ?? throw new InvalidOperationException("The table of durations is not in the module.");
        using var reader = new StreamReader(stream);
        var rows = new Dictionary<string, (int Create, int Update, int Delete)>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith("AWS::", StringComparison.Ordinal))
            {
                var fields = line.Split(',');
                rows.Add(fields[0], (Seconds(fields[1]), Seconds(fields[2]), Seconds(fields[3])));
            }
        }

        return rows;

        static int Seconds(string field) => int.Parse(field, CultureInfo.InvariantCulture);
    }
}
