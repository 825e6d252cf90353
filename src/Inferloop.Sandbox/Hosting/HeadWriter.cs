using System.Globalization;
using System.Text;

namespace Inferloop.Sandbox.Hosting;

/// <summary>The head of an answer as bytes, in memory that the answers of a connection share.</summary>
internal sealed class HeadWriter
{
    private static DateLine date = new(0, []);

    private byte[] buffer = new byte[1024];
    private int length;

    public ReadOnlyMemory<byte> Written => buffer.AsMemory(0, length);

    public void Begin(int status, string reason)
    {
        length = 0;
        Append("HTTP/1.1 "u8);
        Append(status);
        Append(" "u8);
        Append(reason);
        Append("\r\nServer: Inferloop-Sandbox\r\n"u8);
        Append(Date());
    }

    public void Header(string name, string value)
    {
        Append(name);
        Append(": "u8);
        Append(value);
        Append("\r\n"u8);
    }

    public void Length(int bytes)
    {
        Append("Content-Length: "u8);
        Append(bytes);
        Append("\r\n"u8);
    }

    public void End() => Append("\r\n"u8);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        length += bytes.Length;
    }

    private void Append(string text) => length += Encoding.UTF8.GetBytes(text, Room(Encoding.UTF8.GetMaxByteCount(text.Length)));

    private void Append(int number)
    {
        number.TryFormat(Room(11), out var written, default, CultureInfo.InvariantCulture);
        length += written;
    }

    private Span<byte> Room(int bytes)
    {
        if (buffer.Length - length < bytes)
        {
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, length + bytes));
        }
        return buffer.AsSpan(length);
    }

    /// <summary>The date changes once a second; its text is made as often.</summary>
    private static byte[] Date()
    {
        var second = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var known = Volatile.Read(ref date);
        if (known.Second != second)
        {
            known = new DateLine(second, Encoding.ASCII.GetBytes("Date: " + DateTimeOffset.FromUnixTimeSeconds(second).UtcDateTime.ToString("R", CultureInfo.InvariantCulture) + "\r\n"));
            Volatile.Write(ref date, known);
        }
        return known.Text;
    }

    private sealed record DateLine(long Second, byte[] Text);
}
