using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Inferloop.Sandbox.Runtime;

/// <summary>
/// One event of a sandbox that keeps a journal: what it draws at random and what it takes for the time of day come from the journal, so that the
/// event goes the same way when it is repeated. Belongs to the thread it was entered on.
/// </summary>
internal sealed class EventScope : IDisposable
{
    [ThreadStatic]
    private static EventScope? current;

    private readonly EventScope? outer;
    private readonly byte[] key;
    private readonly ulong seed;
    private ulong counter;

    private EventScope(byte[] key, ulong seed, DateTimeOffset wall)
    {
        this.key = key;
        this.seed = seed;
        Wall = wall;
        Random = new Random(unchecked((int)(seed ^ (seed >> 32))));
        outer = current;
        current = this;
    }

    /// <summary>The event that this thread is in; null outside of one.</summary>
    public static EventScope? Current => current;

    /// <summary>What identifiers are drawn from.</summary>
    public Random Random { get; }

    /// <summary>The time of day that the event began at.</summary>
    public DateTimeOffset Wall { get; }

    public static EventScope Enter(byte[] key, ulong seed, DateTimeOffset wall) => new(key, seed, wall);

    /// <summary>A seed for an event that this one causes.</summary>
    public ulong NextSeed()
    {
        Span<byte> bytes = stackalloc byte[8];
        Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    /// <summary>Bytes that only the holder of the journal's key can know.</summary>
    public void Fill(Span<byte> bytes)
    {
        Span<byte> input = stackalloc byte[16];
        Span<byte> block = stackalloc byte[32];
        BinaryPrimitives.WriteUInt64LittleEndian(input, seed);
        while (!bytes.IsEmpty)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(input[8..], counter++);
            HMACSHA256.HashData(key, input, block);
            var length = Math.Min(block.Length, bytes.Length);
            block[..length].CopyTo(bytes);
            bytes = bytes[length..];
        }
    }

    public void Dispose() => current = outer;
}

/// <summary>The time of day, as clients see it.</summary>
internal static class WallClock
{
    public static DateTimeOffset UtcNow => EventScope.Current?.Wall ?? DateTimeOffset.UtcNow;
}

/// <summary>What must not be guessed: from the system's generator, or in a sandbox with a journal from its key.</summary>
internal static class SecureRandom
{
    public static void Fill(Span<byte> bytes)
    {
        if (EventScope.Current is { } scope)
        {
            scope.Fill(bytes);
        }
        else
        {
            RandomNumberGenerator.Fill(bytes);
        }
    }

    public static byte[] GetBytes(int count)
    {
        var bytes = new byte[count];
        Fill(bytes);
        return bytes;
    }

    /// <summary>A number below a maximum, each as likely as the next.</summary>
    public static int GetInt32(int exclusiveMaximum)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(exclusiveMaximum);
        var limit = uint.MaxValue - uint.MaxValue % (uint)exclusiveMaximum;
        Span<byte> bytes = stackalloc byte[4];
        while (true)
        {
            Fill(bytes);
            var value = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            if (value < limit)
            {
                return (int)(value % (uint)exclusiveMaximum);
            }
        }
    }

    public static string GetString(string alphabet, int length) => string.Create(length, alphabet, static (text, from) =>
    {
        for (var i = 0; i < text.Length; i++)
        {
            text[i] = from[GetInt32(from.Length)];
        }
    });

    public static void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = GetInt32(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}
