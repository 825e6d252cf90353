using System.Globalization;
using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

// Fn::Select, Fn::Cidr, Fn::GetAZs, Fn::Length.
internal sealed partial class ExpressionEvaluator
{
    private Value Select(Node argument)
    {
        if (argument is not SequenceNode { Items: [var indexNode, var listNode] })
        {
            return Fail(DiagnosticCodes.InvalidFunction, "Fn::Select takes an index and a list.", argument.Location);
        }

        var indexValue = Evaluate(indexNode);
        var list = Evaluate(listNode);
        if (IsFailed(indexValue) || IsFailed(list))
        {
            return s_failed;
        }

        if (indexValue is UnknownValue || !int.TryParse(indexValue.AsString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index))
        {
            return Fail(DiagnosticCodes.InvalidFunction, $"The index of Fn::Select must be a whole number known before any resource exists, not {indexValue}.", indexNode.Location);
        }

        if (list is UnknownValue unknown)
        {
            return Derived(unknown, $"Select({index}, {ExpressionOf(unknown)})", argument.Location);
        }

        if (list is not ListValue)
        {
            return Fail(DiagnosticCodes.InvalidFunction, $"Fn::Select takes a list as its second argument, not {Describe(list)}.", listNode.Location);
        }

        return index >= 0 && index < list.Items.Count
            ? list.Items[index]
            : Fail(DiagnosticCodes.InvalidFunction, $"Fn::Select cannot select nonexistent value at index {index}: the list has {list.Items.Count} {(list.Items.Count == 1 ? "item" : "items")}.", argument.Location);
    }

    private Value CidrBlocks(Node argument)
    {
        if (argument is not SequenceNode { Items.Count: 2 or 3 } list)
        {
            return Fail(DiagnosticCodes.InvalidFunction, "Fn::Cidr takes an address block, a count and the number of host bits.", argument.Location);
        }

        var arguments = list.Items.Select(Evaluate).ToList();
        if (arguments.Exists(IsFailed))
        {
            return s_failed;
        }

        if (arguments.OfType<UnknownValue>().FirstOrDefault() is not null)
        {
            var text = string.Join(", ", arguments.Select(a => a is UnknownValue u ? ExpressionOf(u) : a.ToString()));
            return new UnknownValue(Provenance.Union(arguments), argument.Location, $"Cidr({text})", false);
        }

        if (!int.TryParse(arguments[1].AsString(), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            return Fail(DiagnosticCodes.InvalidFunction, $"The count of Fn::Cidr must be a whole number from 1 to 256, not {arguments[1]}.", list.Items[1].Location);
        }

        var bits = 8;
        if (arguments.Count == 3 && !int.TryParse(arguments[2].AsString(), NumberStyles.None, CultureInfo.InvariantCulture, out bits))
        {
            return Fail(DiagnosticCodes.InvalidFunction, $"The host bits of Fn::Cidr must be a whole number, not {arguments[2]}.", list.Items[2].Location);
        }

        return CidrCalculator.TrySplit(arguments[0].AsString() ?? arguments[0].ToString(), count, bits, out var blocks, out var error)
            ? new ListValue([.. blocks.Select(b => new StringValue(b, argument.Location, false, arguments[0].Sources))], argument.Location)
            : Fail(DiagnosticCodes.InvalidFunction, "Fn::Cidr: " + error, argument.Location);
    }

    private Value GetAvailabilityZones(Node argument)
    {
        var region = Evaluate(argument);
        if (IsFailed(region))
        {
            return s_failed;
        }

        if (region.AsString() is not { } name)
        {
            return Fail(DiagnosticCodes.InvalidFunction, $"Fn::GetAZs takes the name of a region, or an empty string for the stack's own, not {Describe(region)}.", argument.Location);
        }

        var zones = Context.AvailabilityZones(name.Length == 0 ? Context.Region : name);
        return new ListValue([.. zones.Select(z => new StringValue(z, argument.Location))], argument.Location);
    }

    private Value Length(Node argument)
    {
        var value = Evaluate(argument);
        return value switch
        {
            ListValue list => new NumberValue(list.Items.Count.ToString(CultureInfo.InvariantCulture), argument.Location),
            UnknownValue unknown => IsFailed(unknown) ? s_failed : Derived(unknown, $"Length({ExpressionOf(unknown)})", argument.Location),
            _ => Fail(DiagnosticCodes.InvalidFunction, $"Fn::Length takes a list, not {Describe(value)}.", argument.Location),
        };
    }
}
