"""The catalogue as the workbook of the national template (政务信息资源目录编制指南): in, and out again unchanged."""
