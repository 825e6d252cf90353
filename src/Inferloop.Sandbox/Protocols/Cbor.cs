using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Inferloop.Sandbox.Protocols;

internal sealed record CborTag(ulong Tag, object? Value);

/// <summary>The part of RFC 8949 that Smithy RPC v2 uses: a value as plain objects.</summary>
internal sealed class CborReader(ReadOnlyMemory<byte> data)
{
    private const int MaximumDepth = 100;
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);
    private static readonly object Break = new();

    private int position;

    public bool AtEnd => position >= data.Length;

    public object? Read()
    {
        var value = Read(0);
        return ReferenceEquals(value, Break) ? throw new MalformedInputException("Unexpected break") : value;
    }

    private object? Read(int depth)
    {
        if (depth > MaximumDepth)
        {
            throw new MalformedInputException("The document is nested too deeply");
        }
        var initial = Take(1)[0];
        var major = initial >> 5;
        var info = initial & 0x1F;
        if (major == 7)
        {
            return Simple(info);
        }
        var indefinite = info == 31;
        var argument = indefinite ? 0 : Argument(info);
        switch (major)
        {
            case 0 when !indefinite:
                return argument <= long.MaxValue ? (long)argument : throw new MalformedInputException("Integer out of range");
            case 1 when !indefinite:
                return argument <= long.MaxValue ? -1 - (long)argument : throw new MalformedInputException("Integer out of range");
            case 2:
                return indefinite ? Chunks(2, depth) : Take(Length(argument)).ToArray();
            case 3:
                return Text(indefinite ? Chunks(3, depth) : Take(Length(argument)));
            case 4:
                return Array(indefinite ? null : Length(argument), depth);
            case 5:
                return Map(indefinite ? null : Length(argument), depth);
            case 6 when !indefinite:
                return new CborTag(argument, Read(depth + 1));
            default:
                throw new MalformedInputException("Unexpected indefinite length");
        }
    }

    private List<object?> Array(int? count, int depth)
    {
        var list = new List<object?>();
        for (var i = 0; count is null || i < count; i++)
        {
            var item = Read(depth + 1);
            if (ReferenceEquals(item, Break))
            {
                return count is null ? list : throw new MalformedInputException("Unexpected break");
            }
            list.Add(item);
        }
        return list;
    }

    private Dictionary<string, object?> Map(int? count, int depth)
    {
        var map = new Dictionary<string, object?>(StringComparer.Ordinal);
        for (var i = 0; count is null || i < count; i++)
        {
            var key = Read(depth + 1);
            if (ReferenceEquals(key, Break))
            {
                return count is null ? map : throw new MalformedInputException("Unexpected break");
            }
            var value = Read(depth + 1);
            if (key is not string name || ReferenceEquals(value, Break))
            {
                throw new MalformedInputException("Map keys must be text");
            }
            map[name] = value;
        }
        return map;
    }

    private byte[] Chunks(int major, int depth)
    {
        var bytes = new List<byte>();
        while (true)
        {
            if (!AtEnd && data.Span[position] == 0xFF)
            {
                position++;
                return [.. bytes];
            }
            if (AtEnd || data.Span[position] >> 5 != major)
            {
                throw new MalformedInputException("Unexpected chunk");
            }
            bytes.AddRange(Read(depth + 1) switch
            {
                byte[] chunk => chunk,
                string chunk => Encoding.UTF8.GetBytes(chunk),
                _ => throw new MalformedInputException("Unexpected chunk"),
            });
        }
    }

    private object? Simple(int info)
    {
        switch (info)
        {
            case 20:
                return false;
            case 21:
                return true;
            case 22 or 23:
                return null;
            case 25:
                return (double)BinaryPrimitives.ReadHalfBigEndian(Take(2));
            case 26:
                return (double)BinaryPrimitives.ReadSingleBigEndian(Take(4));
            case 27:
                return BinaryPrimitives.ReadDoubleBigEndian(Take(8));
            case 31:
                return Break;
            default:
                throw new MalformedInputException("Unsupported simple value");
        }
    }

    private ulong Argument(int info) => info switch
    {
        < 24 => (ulong)info,
        24 => Take(1)[0],
        25 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
        26 => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
        27 => BinaryPrimitives.ReadUInt64BigEndian(Take(8)),
        _ => throw new MalformedInputException("Reserved length"),
    };

    private int Length(ulong argument) =>
        argument <= (ulong)(data.Length - position) ? (int)argument : throw new MalformedInputException("The document is truncated");

    private ReadOnlySpan<byte> Take(int count)
    {
        if (data.Length - position < count)
        {
            throw new MalformedInputException("The document is truncated");
        }
        var span = data.Span.Slice(position, count);
        position += count;
        return span;
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (ArgumentException)
        {
            throw new MalformedInputException("Text is not valid UTF-8");
        }
    }
}

/// <summary>Writes CBOR with definite lengths.</summary>
internal sealed class CborWriter
{
    private readonly ArrayBufferWriter<byte> output = new();

    public byte[] ToArray() => output.WrittenSpan.ToArray();

    public void WriteMap(int count) => Head(5, (ulong)count);

    public void WriteArray(int count) => Head(4, (ulong)count);

    public void WriteTag(ulong tag) => Head(6, tag);

    public void WriteInteger(long value)
    {
        if (value >= 0)
        {
            Head(0, (ulong)value);
        }
        else
        {
            Head(1, (ulong)(-1 - value));
        }
    }

    public void WriteText(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Head(3, (ulong)bytes.Length);
        output.Write(bytes);
    }

    public void WriteBytes(byte[] bytes)
    {
        Head(2, (ulong)bytes.Length);
        output.Write(bytes);
    }

    public void WriteBoolean(bool flag) => output.Write([flag ? (byte)0xF5 : (byte)0xF4]);

    public void WriteNull() => output.Write([(byte)0xF6]);

    public void WriteDouble(double value)
    {
        Span<byte> bytes = stackalloc byte[9];
        bytes[0] = 0xFB;
        BinaryPrimitives.WriteDoubleBigEndian(bytes[1..], value);
        output.Write(bytes);
    }

    private void Head(int major, ulong argument)
    {
        Span<byte> bytes = stackalloc byte[9];
        int length;
        switch (argument)
        {
            case < 24:
                bytes[0] = (byte)argument;
                length = 1;
                break;
            case <= byte.MaxValue:
                bytes[0] = 24;
                bytes[1] = (byte)argument;
                length = 2;
                break;
            case <= ushort.MaxValue:
                bytes[0] = 25;
                BinaryPrimitives.WriteUInt16BigEndian(bytes[1..], (ushort)argument);
                length = 3;
                break;
            case <= uint.MaxValue:
                bytes[0] = 26;
                BinaryPrimitives.WriteUInt32BigEndian(bytes[1..], (uint)argument);
                length = 5;
                break;
            default:
                bytes[0] = 27;
                BinaryPrimitives.WriteUInt64BigEndian(bytes[1..], argument);
                length = 9;
                break;
        }
        bytes[0] |= (byte)(major << 5);
        output.Write(bytes[..length]);
    }
}
