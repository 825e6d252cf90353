using System.Management.Automation.Host;

namespace Inferloop.Shell.Hosting;

/// <summary>The console's size, keys and cursor, as far as a terminal has them.</summary>
internal sealed class ShellRawUserInterface : PSHostRawUserInterface
{
    private const ConsoleColor TerminalsOwn = (ConsoleColor)(-1);

    /// <summary>The width of what is rendered to text; null for the terminal's own.</summary>
    public static int? WidthOverride { get; set; }

    /// <summary>How many columns there are; as wide as pwsh takes it when there is no terminal.</summary>
    public static int Width
    {
        get
        {
            if (WidthOverride is { } wanted)
            {
                return wanted;
            }

            try
            {
                return Console.IsOutputRedirected || Console.WindowWidth <= 0 ? FallbackWidth : Console.WindowWidth;
            }
            catch (IOException)
            {
                return FallbackWidth;
            }
        }
    }

    private static int FallbackWidth =>
        int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), out var columns) && columns >= 20 ? columns : 120;

    private static int Height
    {
        get
        {
            try
            {
                return Console.IsOutputRedirected || Console.WindowHeight <= 0 ? 50 : Console.WindowHeight;
            }
            catch (IOException)
            {
                return 50;
            }
        }
    }

    // The terminal's own colours: -1 makes Write-Host and the engine leave them alone.
    public override ConsoleColor ForegroundColor { get; set; } = TerminalsOwn;

    public override ConsoleColor BackgroundColor { get; set; } = TerminalsOwn;

    public override Coordinates CursorPosition
    {
        get
        {
            if (Console.IsOutputRedirected || Console.IsInputRedirected)
            {
                return default;
            }

            var (left, top) = Console.GetCursorPosition();
            return new Coordinates(left, top);
        }

        set
        {
            if (!Console.IsOutputRedirected)
            {
                Console.SetCursorPosition(value.X, value.Y);
            }
        }
    }

    public override Coordinates WindowPosition { get; set; }

    public override int CursorSize { get; set; } = 25;

    public override Size BufferSize
    {
        get => new(Width, Height);
        set { }
    }

    public override Size WindowSize
    {
        get => new(Width, Height);
        set { }
    }

    public override Size MaxWindowSize => new(Width, Height);

    public override Size MaxPhysicalWindowSize => new(Width, Height);

    public override bool KeyAvailable => !Console.IsInputRedirected && Console.KeyAvailable;

    public override string WindowTitle { get; set; } = "Inferloop";

    public override KeyInfo ReadKey(ReadKeyOptions options)
    {
        if (Console.IsInputRedirected)
        {
            throw new HostException("There is no keyboard: standard input is redirected.");
        }

        var key = Console.ReadKey(intercept: (options & ReadKeyOptions.NoEcho) != 0);
        var state = (key.Modifiers.HasFlag(ConsoleModifiers.Shift) ? ControlKeyStates.ShiftPressed : 0)
            | (key.Modifiers.HasFlag(ConsoleModifiers.Control) ? ControlKeyStates.LeftCtrlPressed : 0)
            | (key.Modifiers.HasFlag(ConsoleModifiers.Alt) ? ControlKeyStates.LeftAltPressed : 0);
        return new KeyInfo((int)key.Key, key.KeyChar, state, keyDown: true);
    }

    public override void FlushInputBuffer()
    {
        while (KeyAvailable)
        {
            Console.ReadKey(intercept: true);
        }
    }

    public override BufferCell[,] GetBufferContents(Rectangle rectangle) => throw new NotSupportedException("A terminal does not tell what it shows.");

    public override void SetBufferContents(Coordinates origin, BufferCell[,] contents) => throw new NotSupportedException("A terminal has no screen buffer.");

    public override void SetBufferContents(Rectangle rectangle, BufferCell fill)
    {
        // Clear-Host asks for the whole screen, which is the one rectangle a terminal can fill.
        if (ShellUserInterface.UsesColor && rectangle is { Left: -1, Top: -1, Right: -1, Bottom: -1 })
        {
            Console.Out.Write("\u001b[2J\u001b[3J\u001b[H");
        }
    }

    public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill) =>
        throw new NotSupportedException("A terminal has no screen buffer.");
}
