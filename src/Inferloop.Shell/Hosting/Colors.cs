namespace Inferloop.Shell.Hosting;

/// <summary>The sixteen console colours as terminal sequences.</summary>
internal static class Colors
{
    public const string Reset = "\u001b[0m";

    // ConsoleColor counts blue as 1 and red as 4; terminals the other way round.
    private static readonly int[] Codes = [0, 4, 2, 6, 1, 5, 3, 7];

    public static string Foreground(ConsoleColor color) => Is(color) ? $"\u001b[{((int)color < 8 ? 30 : 90) + Codes[(int)color % 8]}m" : "";

    public static string Background(ConsoleColor color) => Is(color) ? $"\u001b[{((int)color < 8 ? 40 : 100) + Codes[(int)color % 8]}m" : "";

    // -1 is how hosts say: leave the terminal's own colour.
    private static bool Is(ConsoleColor color) => (int)color is >= 0 and < 16;
}
