namespace Inferloop.Shell.Interactive;

/// <summary>Where keys come from.</summary>
internal interface IKeySource
{
    /// <summary>Waits for a key; Ctrl-C comes as a key.</summary>
    ConsoleKeyInfo ReadKey();
}

/// <summary>The console's keyboard.</summary>
internal sealed class ConsoleKeys : IKeySource
{
    public ConsoleKeyInfo ReadKey()
    {
        // Only while a line is edited: while a command runs, Ctrl-C must be a signal.
        Console.TreatControlCAsInput = true;
        try
        {
            return Console.ReadKey(intercept: true);
        }
        finally
        {
            Console.TreatControlCAsInput = false;
        }
    }
}
