using System.Diagnostics;

namespace Inferloop.Operations.Environments;

/// <summary>Who is at work: a person, on a machine, in a process.</summary>
internal sealed record OperatorIdentity(string User, string Host, int ProcessId)
{
    public static OperatorIdentity Current { get; } = new(Environment.UserName, Environment.MachineName, Environment.ProcessId);

    public string Name => $"{User}@{Host}";

    /// <summary>
    /// Whether the process that holds a lock is certainly gone: it ran on this machine, and no process of that number
    /// runs any more. Of another machine nothing is certain before its lease ends.
    /// </summary>
    public bool KnowsGone(OperatorIdentity other)
    {
        if (other.Host != Host || other.ProcessId == ProcessId)
        {
            return false;
        }

        try
        {
            using var process = Process.GetProcessById(other.ProcessId);
            return process.HasExited;
        }
        catch (ArgumentException)
        {
            return true;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }
}
