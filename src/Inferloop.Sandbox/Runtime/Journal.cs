using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using Inferloop.Sandbox.Protocols;

namespace Inferloop.Sandbox.Runtime;

/// <summary>What a journal holds of an event.</summary>
internal enum JournalKind : byte
{
    /// <summary>A request, written before it is carried out.</summary>
    Request = 1,

    /// <summary>The clock has come so far, and somebody may have seen what happened until then.</summary>
    Time = 2,

    /// <summary>A request that an injected fault kept from being carried out.</summary>
    Refused = 3,
}

/// <summary>An event of a journal.</summary>
internal sealed record JournalRecord(JournalKind Kind, long Number, long Ticks, DateTimeOffset Wall, ServiceRequest? Request);

/// <summary>What stays the same for a journal: where its time begins, its keys, its address.</summary>
internal sealed record JournalHeader
{
    public int Format { get; init; } = 1;

    public required DateTimeOffset Origin { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>What secrets are drawn from. The file is for its owner's eyes only.</summary>
    public required byte[] Key { get; init; }

    public required string AccountId { get; init; }

    public required string DefaultRegion { get; init; }

    public required string AccessKeyId { get; init; }

    public required string SecretAccessKey { get; init; }

    public int? OptionsSeed { get; init; }

    public int Port { get; init; }
}

/// <summary>
/// The journal of a sandbox: a folder with its header and one file of records, each with its length and check sum, each written to the
/// operating system before its request is answered. A record that was cut off by the end of the process is cut away when the journal is opened.
/// </summary>
internal sealed class Journal : IDisposable
{
    private const string HeaderName = "sandbox.json";
    private const string RecordsName = "journal.bin";
    private const int CheckLength = 8;
    private const int PrefixLength = 4 + CheckLength;

    private readonly string folder;
    private readonly FileStream file;

    private Journal(string folder, FileStream file, JournalHeader header, bool isNew)
    {
        this.folder = folder;
        this.file = file;
        Header = header;
        IsNew = isNew;
    }

    public JournalHeader Header { get; private set; }

    public bool IsNew { get; }

    /// <summary>The last record's number.</summary>
    public long Number { get; private set; }

    /// <summary>The sandbox time up to which the journal goes.</summary>
    public long Ticks { get; private set; }

    /// <summary>Opens a folder's journal, or begins one. Fails with an <see cref="IOException"/> while another sandbox has it.</summary>
    public static Journal Open(string folder, SandboxOptions options)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        var settings = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            settings.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        var file = new FileStream(Path.Combine(folder, RecordsName), settings);
        try
        {
            var headerPath = Path.Combine(folder, HeaderName);
            if (File.Exists(headerPath))
            {
                var header = JsonSerializer.Deserialize<JournalHeader>(File.ReadAllBytes(headerPath)) ?? throw new InvalidDataException($"{headerPath} is empty.");
                return header.Format == 1 ? new Journal(folder, file, header, isNew: false)
                    : throw new InvalidDataException($"{headerPath} was written by another version of the module (format {header.Format}).");
            }
            if (file.Length > 0)
            {
                throw new InvalidDataException($"{folder} has records but no {HeaderName}.");
            }
            var begun = new Journal(folder, file, new JournalHeader
            {
                Origin = DateTimeOffset.UtcNow,
                Seed = options.Seed is { } seed ? (ulong)(uint)seed : BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)),
                Key = RandomNumberGenerator.GetBytes(32),
                AccountId = options.AccountId,
                DefaultRegion = options.DefaultRegion,
                AccessKeyId = options.AccessKeyId ?? "AKIA" + RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
                SecretAccessKey = options.SecretAccessKey ?? AccessKeyStore.NewSecret(),
                OptionsSeed = options.Seed,
                Port = options.Port,
            }, isNew: true);
            begun.WriteHeader();
            return begun;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Remembers the port, so that clients find the sandbox where it was.</summary>
    public void KeepPort(int port)
    {
        if (Header.Port != port)
        {
            Header = Header with { Port = port };
            WriteHeader();
        }
    }

    /// <summary>The numbers of the requests that were not carried out.</summary>
    public HashSet<long> Refused() => Read().Where(record => record.Kind == JournalKind.Refused).Select(record => record.Number).ToHashSet();

    /// <summary>All records, from the first; what is cut off at the end is cut away.</summary>
    public IEnumerable<JournalRecord> Read()
    {
        var prefix = new byte[PrefixLength];
        var check = new byte[32];
        long position = 0;
        Number = 0;
        Ticks = 0;
        file.Position = 0;
        using var reader = new BufferedStream(new Unowned(file), 1 << 20);
        while (true)
        {
            if (reader.ReadAtLeast(prefix, PrefixLength, throwOnEndOfStream: false) < PrefixLength)
            {
                break;
            }
            var length = BinaryPrimitives.ReadInt32LittleEndian(prefix);
            if (length <= 0 || length > file.Length - position - PrefixLength)
            {
                break;
            }
            var bytes = new byte[length];
            reader.ReadExactly(bytes);
            SHA256.HashData(bytes, check);
            if (!check.AsSpan(0, CheckLength).SequenceEqual(prefix.AsSpan(4)))
            {
                if (position + PrefixLength + length < file.Length)
                {
                    // Only the last record can be cut off by the end of a process. What follows this one would go with it.
                    throw new InvalidDataException($"{RecordsName} is damaged at byte {position}, with {file.Length - position - PrefixLength - length} bytes behind it. Nothing was changed.");
                }
                break;
            }
            position += PrefixLength + length;
            var record = Decode(bytes);
            if (record.Kind == JournalKind.Request)
            {
                Number = record.Number;
            }
            Ticks = Math.Max(Ticks, record.Ticks);
            yield return record;
        }
        file.SetLength(position);
        file.Position = position;
    }

    /// <summary>Writes a request down; its number.</summary>
    public long Append(long ticks, DateTimeOffset wall, ServiceRequest request)
    {
        Number++;
        Write(new JournalRecord(JournalKind.Request, Number, ticks, wall, request));
        return Number;
    }

    public void Refuse(long number) => Write(new JournalRecord(JournalKind.Refused, number, Ticks, default, null));

    /// <summary>Writes down that the clock has come so far, unless that is known.</summary>
    public void KeepTime(long ticks)
    {
        if (ticks > Ticks)
        {
            Write(new JournalRecord(JournalKind.Time, Number, ticks, default, null));
        }
    }

    public void Dispose() => file.Dispose();

    private void Write(JournalRecord record)
    {
        using var stream = new MemoryStream();
        stream.Write(stackalloc byte[PrefixLength]);
        Encode(stream, record);
        var bytes = stream.GetBuffer().AsSpan(0, (int)stream.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length - PrefixLength);
        Span<byte> check = stackalloc byte[32];
        SHA256.HashData(bytes[PrefixLength..], check);
        check[..CheckLength].CopyTo(bytes[4..]);
        file.Write(bytes);
        Ticks = Math.Max(Ticks, record.Ticks);
    }

    private void WriteHeader()
    {
        var path = Path.Combine(folder, HeaderName);
        var fresh = path + ".new";
        var settings = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            settings.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        using (var stream = new FileStream(fresh, settings))
        {
            JsonSerializer.Serialize(stream, Header);
        }
        File.Move(fresh, path, overwrite: true);
    }

    private static void Encode(MemoryStream stream, JournalRecord record)
    {
        using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write((byte)record.Kind);
        writer.Write(record.Number);
        writer.Write(record.Ticks);
        if (record.Request is not { } request)
        {
            return;
        }
        writer.Write(record.Wall.UtcTicks);
        writer.Write(request.Method);
        writer.Write(request.RawPath);
        writer.Write(request.RawQuery);
        Encode(writer, request.Headers);
        Encode(writer, request.Trailers);
        writer.Write(request.Body.Length);
        writer.Write(request.Body.Span);
    }

    private static void Encode(BinaryWriter writer, IReadOnlyDictionary<string, string> headers)
    {
        writer.Write(headers.Count);
        foreach (var (name, value) in headers)
        {
            writer.Write(name);
            writer.Write(value);
        }
    }

    private static JournalRecord Decode(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        var kind = (JournalKind)reader.ReadByte();
        var number = reader.ReadInt64();
        var ticks = reader.ReadInt64();
        if (kind != JournalKind.Request)
        {
            return new JournalRecord(kind, number, ticks, default, null);
        }
        var wall = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
        var request = new ServiceRequest { Method = reader.ReadString(), RawPath = reader.ReadString(), RawQuery = reader.ReadString(), Headers = Headers(reader) };
        request.Trailers = Headers(reader);
        request.Body = reader.ReadBytes(reader.ReadInt32());
        return new JournalRecord(kind, number, ticks, wall, request);
    }

    private static Dictionary<string, string> Headers(BinaryReader reader)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (var count = reader.ReadInt32(); count > 0; count--)
        {
            headers[reader.ReadString()] = reader.ReadString();
        }
        return headers;
    }

    /// <summary>The file, read through a buffer that does not close it.</summary>
    private sealed class Unowned(FileStream file) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => file.Length;

        public override long Position { get => file.Position; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => file.Read(buffer, offset, count);

        public override int Read(Span<byte> buffer) => file.Read(buffer);

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
