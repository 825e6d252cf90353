using System.Diagnostics;
using Inferloop.Aws.Generator.Emitting;
using Inferloop.Aws.Generator.Reading;

namespace Inferloop.Aws.Generator;

/// <summary>
/// Generates typed AWS clients: <c>Generator &lt;root&gt; &lt;outDir&gt; [service ...]</c>. The root holds services.json,
/// customizations.json, Models and EndpointRules. Without names, every service whose client is "generated".
/// </summary>
public static class Program
{
    /// <summary>The program's entry point.</summary>
    /// <param name="args">The root folder, the output folder, and service file names.</param>
    /// <returns>0, or 1 after saying what went wrong.</returns>
    public static int Main(string[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        if (args.Length < 2)
        {
            Console.Error.WriteLine("usage: Inferloop.Aws.Generator <root> <outDir> [service ...]");
            return 1;
        }

        try
        {
            long started = Stopwatch.GetTimestamp();
            int operations = Generate(args[0], args[1], args[2..]);
            Console.WriteLine($"Inferloop.Aws.Generator: {operations} operations in {Stopwatch.GetElapsedTime(started).TotalMilliseconds:0} ms");
            return 0;
        }
        catch (Exception e) when (e is IOException or NotSupportedException or KeyNotFoundException or System.Text.Json.JsonException)
        {
            Console.Error.WriteLine($"Inferloop.Aws.Generator : error IAG001: {e.Message}");
            return 1;
        }
    }

    /// <summary>Writes the sources of the services and removes sources of services that are no longer generated.</summary>
    /// <param name="root">The folder with services.json, Models and EndpointRules.</param>
    /// <param name="output">Where the sources go.</param>
    /// <param name="only">Names of services; none means every service whose client is generated.</param>
    /// <returns>The number of operations.</returns>
    public static int Generate(string root, string output, IReadOnlyCollection<string> only)
    {
        IReadOnlyList<ServiceNames> services = ServiceList.Read(Path.Combine(root, "services.json"));
        IReadOnlyDictionary<string, ServiceCustomization> customizations = ServiceList.ReadCustomizations(Path.Combine(root, "customizations.json"));
        if (only.FirstOrDefault(n => !services.Any(s => s.File == n)) is { } unknown)
        {
            throw new NotSupportedException($"services.json has no service '{unknown}'");
        }

        Directory.CreateDirectory(output);
        HashSet<string> written = new(StringComparer.Ordinal);
        int operations = 0;
        foreach (ServiceNames names in services.Where(s => only.Count == 0 ? s.Client == "generated" : only.Contains(s.File)))
        {
            ServiceModel model = ServiceModel.Read(
                names,
                customizations.TryGetValue(names.File, out ServiceCustomization? customization) ? customization : ServiceCustomization.None,
                Path.Combine(root, "Models", names.File + ".json"),
                Path.Combine(root, "EndpointRules", names.File + ".json"));
            operations += model.Operations.Count;
            Write(output, written, names, "Client", new ClientEmitter(model).Emit());
            Write(output, written, names, "Model", new TypeEmitter(model).EmitModel());
            Write(output, written, names, "Service", new TypeEmitter(model).EmitService());
            Write(output, written, names, "Operations", new OperationEmitter(model).Emit());
            Write(output, written, names, "Endpoints", new EndpointEmitter(model).Emit());
        }

        foreach (string stale in Directory.EnumerateFiles(output, "*.cs").Where(f => !written.Contains(Path.GetFileName(f))))
        {
            File.Delete(stale);
        }

        return operations;
    }

    private static void Write(string output, HashSet<string> written, ServiceNames names, string part, string text)
    {
        string name = $"{names.Namespace}.{part}.cs";
        written.Add(name);
        string path = Path.Combine(output, name);
        if (!File.Exists(path) || File.ReadAllText(path) != text)
        {
            File.WriteAllText(path, text);
        }
    }
}
