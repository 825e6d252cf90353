using System.Globalization;
using System.Text;
using System.Xml;

namespace Inferloop.Operations.Costs.Reporting;

/// <summary>The checks of a price as test results.</summary>
internal static class CostJUnit
{
    public static string Write(CostGate gate)
    {
        var text = new StringBuilder();
        using (var xml = XmlWriter.Create(text, new XmlWriterSettings { Indent = true, OmitXmlDeclaration = true, CheckCharacters = false }))
        {
            var suite = "cost of " + (gate.Estimate?.Environment ?? "template") + (gate.Estimate?.Stage is { } stage ? " " + stage : "");
            var failures = gate.Failures.Count;
            xml.WriteStartElement("testsuites");
            xml.WriteStartElement("testsuite");
            xml.WriteAttributeString("name", suite);
            xml.WriteAttributeString("tests", gate.Checks.Count.ToString(CultureInfo.InvariantCulture));
            xml.WriteAttributeString("failures", failures.ToString(CultureInfo.InvariantCulture));
            xml.WriteAttributeString("errors", "0");
            xml.WriteAttributeString("skipped", gate.Checks.Count(c => c.Result == CostCheckResult.Warning).ToString(CultureInfo.InvariantCulture));
            Properties(xml, gate);
            foreach (var check in gate.Checks)
            {
                xml.WriteStartElement("testcase");
                xml.WriteAttributeString("classname", "inferloop.cost");
                xml.WriteAttributeString("name", Plain(check.Path is null ? check.Rule : $"{check.Rule} {check.Path}: {check.Message}"));
                if (check.Result != CostCheckResult.Passed)
                {
                    xml.WriteStartElement(check.Result == CostCheckResult.Failed ? "failure" : "skipped");
                    xml.WriteAttributeString("message", Plain(check.Message));
                    xml.WriteEndElement();
                }

                xml.WriteEndElement();
            }

            xml.WriteEndElement();
            xml.WriteEndElement();
        }

        return "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" + text.ToString().ReplaceLineEndings("\n") + "\n";
    }

    private static void Properties(XmlWriter xml, CostGate gate)
    {
        xml.WriteStartElement("properties");
        void Property(string name, decimal? value)
        {
            if (value is { } number)
            {
                xml.WriteStartElement("property");
                xml.WriteAttributeString("name", name);
                xml.WriteAttributeString("value", number.ToString("0.00", CultureInfo.InvariantCulture));
                xml.WriteEndElement();
            }
        }

        Property("monthlyExpected", gate.Estimate?.MonthlyExpected);
        Property("monthlyLow", gate.Estimate?.MonthlyLow);
        Property("monthlyHigh", gate.Estimate?.MonthlyHigh);
        Property("monthlyDelta", gate.Change?.MonthlyDelta);
        xml.WriteEndElement();
    }

    // XML cannot hold control characters, not even escaped.
    private static string Plain(string value) => string.Concat(value.Where(XmlConvert.IsXmlChar));
}
